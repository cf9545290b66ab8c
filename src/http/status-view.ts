import { existsSync } from 'node:fs';
import type { HealthReport } from '../health.js';
import { detectPlatform, type Environment } from '../platform.js';
import type { SessionState } from '../state.js';
import type { SessionStatus } from '../status.js';
import type { SnapshotInfo } from '../types.js';
import { LIBRARY_VERSION } from '../version.js';
import type { SessionView, SystemInfo } from './contract.js';

/** Checked once, because it does not change. */
const IS_DOCKER = existsSync('/.dockerenv');
const BYTES_PER_MB = 1024 * 1024;
/** A page shows no more snapshots, and a store may contain thousands. */
const MAX_SNAPSHOTS = 100;
const LOGGED_IN: readonly SessionState[] = ['authenticated', 'ready', 'degraded'];

/** The facts from which a status is made. `undefined`: not known. */
export interface KnownFacts {
  readonly status: SessionStatus;
  readonly snapshots: readonly SnapshotInfo[] | undefined;
  readonly health: HealthReport | undefined;
}

/** The session in the form of the documented system. */
export function sessionView({ status, snapshots, health }: KnownFacts): SessionView {
  const backups = snapshots?.filter(({ kind }) => kind === 'backup');
  const metrics = health?.metrics;
  return {
    clientId: status.clientId,
    state: status.state,
    stateSince: status.stateSince,
    connected: status.state === 'ready',
    hasSession: hasSession(status, snapshots),
    hasBackup: backups ? backups.length > 0 : status.lastBackup ? true : null,
    sessionSizeMb: megabytes(metrics?.sessionBytes),
    backupSizeMb: megabytes(backups?.reduce((sum, { storedBytes }) => sum + storedBytes, 0)),
    maxSessionSizeMb: megabytes(metrics?.maxSessionBytes),
    lastModified: metrics?.lastModifiedAt ?? null,
    lastSaved: newest(snapshots, 'save') ?? status.lastSave?.createdAt ?? null,
    lastBackup: newest(snapshots, 'backup') ?? status.lastBackup?.createdAt ?? null,
    reconnectAttempts: status.reconnect.attempt,
    maxReconnectAttempts: status.reconnect.maxAttempts,
    lastError: status.lastError ?? null,
    lastSaveError: status.lastSaveError ?? null,
    lastBackupError: status.lastBackupError ?? null,
    waiting: status.waiting ?? null,
    decision: status.decision ?? null,
    storeLease: status.lease.store ?? null,
    snapshots: snapshots?.slice(0, MAX_SNAPSHOTS) ?? null,
  };
}

/** Facts about the machine. Of the environment variables, only the platform's name is shown. */
export function systemInfo({ paths }: SessionStatus, env: Environment = process.env): SystemInfo {
  const { name } = detectPlatform(env, { dockerenv: IS_DOCKER });
  const { rss, heapUsed, heapTotal } = process.memoryUsage();
  return {
    sessionPath: paths.session,
    backupPath: paths.backup,
    profilePath: paths.profile,
    platform: name,
    isRailway: name === 'railway',
    operatingSystem: process.platform,
    nodeVersion: process.version,
    libraryVersion: LIBRARY_VERSION,
    memory: {
      rssMb: inMegabytes(rss),
      heapUsedMb: inMegabytes(heapUsed),
      heapTotalMb: inMegabytes(heapTotal),
    },
    uptimeSeconds: Math.floor(process.uptime()),
  };
}

/** A login in the profile has a lineage; a login that is only in a snapshot may still be restored. */
function hasSession(
  { state, lineage }: SessionStatus,
  snapshots: readonly SnapshotInfo[] | undefined,
): boolean | null {
  if (LOGGED_IN.includes(state) || lineage !== undefined) return true;
  return snapshots ? snapshots.some(({ revoked }) => !revoked) : null;
}

function newest(
  snapshots: readonly SnapshotInfo[] | undefined,
  kind: SnapshotInfo['kind'],
): string | undefined {
  return snapshots?.find((snapshot) => snapshot.kind === kind)?.createdAt;
}

function megabytes(bytes: number | null | undefined): number | null {
  return bytes === null || bytes === undefined ? null : inMegabytes(bytes);
}

function inMegabytes(bytes: number): number {
  return Math.round((bytes / BYTES_PER_MB) * 100) / 100;
}

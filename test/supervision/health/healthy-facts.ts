import type { HealthFacts } from '../../../src/supervision/health/facts.js';

const MB = 1024 * 1024;

/** A session that nothing is wrong with. */
export const HEALTHY: HealthFacts = {
  state: 'ready',
  upMs: 3_600_000,
  hasLogin: true,
  limits: { maxSessionBytes: 150 * MB, saveIntervalMs: 120_000, backupIntervalMs: 300_000 },
  probe: { answered: true, state: 'CONNECTED', durationMs: 12 },
  profile: { verdict: 'sound', isSettled: true },
  size: {
    totalBytes: 80 * MB,
    essentialBytes: 20 * MB,
    files: 900,
    essentialModifiedMs: Date.UTC(2026, 0, 1),
    truncated: false,
  },
  saves: {
    count: 10,
    bytes: 40 * MB,
    unreachable: [],
    last: { createdAt: '2026-01-01T00:00:00.000Z', ageMs: 60_000, isVerified: true, isCorrupt: false },
    confirmedAgeMs: 60_000,
    hasFailed: false,
    refusal: undefined,
  },
  backups: {
    count: 12,
    bytes: 240 * MB,
    unreachable: [],
    last: { createdAt: '2026-01-01T00:00:00.000Z', ageMs: 200_000, isVerified: true, isCorrupt: false },
    confirmedAgeMs: 200_000,
    hasFailed: false,
    refusal: undefined,
  },
  storage: {
    sessionPath: '/data/session',
    backupPath: '/backup/session',
    isSessionEphemeral: false,
    isBackupEphemeral: false,
    isSameDisk: false,
    mayOverlap: false,
    hidesSignal: false,
  },
  disks: {
    session: { path: '/data/profile', freeBytes: 9000 * MB, device: 1 },
    backup: { path: '/backup/session', freeBytes: 9000 * MB, device: 2 },
  },
  memory: {
    nodeRssBytes: 100 * MB,
    nodeHeapUsedBytes: 40 * MB,
    browser: { bytes: 400 * MB, processes: 9 },
    limitBytes: 1024 * MB,
  },
  eventLoopDelayMs: 3,
  reconnect: { attempt: 0, maxAttempts: 5 },
  lastError: undefined,
  waiting: undefined,
  threadSilentMs: 0,
  olderCopy: undefined,
  decision: undefined,
  leaseHeld: true,
  leaseUnproven: false,
  storeLease: undefined,
};

/** Nothing could be read but the state. */
export const UNKNOWN: HealthFacts = {
  ...HEALTHY,
  probe: undefined,
  profile: undefined,
  size: undefined,
  saves: { ...HEALTHY.saves, count: undefined, bytes: undefined, last: undefined, confirmedAgeMs: undefined },
  backups: {
    ...HEALTHY.backups,
    count: undefined,
    bytes: undefined,
    last: undefined,
    confirmedAgeMs: undefined,
  },
  storage: undefined,
  disks: { session: undefined, backup: undefined },
  memory: { ...HEALTHY.memory, browser: undefined, limitBytes: undefined },
  eventLoopDelayMs: undefined,
};

import type { HealthMetrics } from '../../health.js';
import type { HealthFacts, MemoryFacts } from './facts.js';

/** The measured values for a report; `null` where a value is unknown. */
export function metricsOf(facts: HealthFacts): HealthMetrics {
  const { probe, size, saves, backups, disks, reconnect } = facts;
  return {
    state: facts.state,
    connected: probe?.answered === true && probe.state === 'CONNECTED',
    pageState: probe?.state ?? null,
    probeMs: probe?.answered ? Math.round(probe.durationMs) : null,
    sessionBytes: size?.totalBytes ?? null,
    essentialBytes: size?.essentialBytes ?? null,
    maxSessionBytes: facts.limits.maxSessionBytes,
    backupBytes: backups.bytes ?? null,
    saves: saves.count ?? null,
    backups: backups.count ?? null,
    lastModifiedAt: size && size.essentialModifiedMs > 0 ? iso(size.essentialModifiedMs) : null,
    lastSaveAt: saves.last?.createdAt ?? null,
    lastSaveAgeMs: saves.last?.ageMs ?? null,
    lastBackupAt: backups.last?.createdAt ?? null,
    lastBackupAgeMs: backups.last?.ageMs ?? null,
    sessionDiskFreeBytes: disks.session?.freeBytes ?? null,
    backupDiskFreeBytes: disks.backup?.freeBytes ?? null,
    ...memoryOf(facts.memory),
    eventLoopDelayMs: facts.eventLoopDelayMs === undefined ? null : Math.round(facts.eventLoopDelayMs),
    lastError: facts.lastError ? { code: facts.lastError.code, message: facts.lastError.message } : null,
    reconnectAttempt: reconnect.attempt,
    maxReconnectAttempts: reconnect.maxAttempts,
    leaseHeld: facts.leaseHeld,
  };
}

function memoryOf({ nodeRssBytes, nodeHeapUsedBytes, browser, limitBytes }: MemoryFacts) {
  const tree = browser === 'none' ? { bytes: 0, processes: 0 } : browser;
  return {
    nodeRssBytes,
    nodeHeapUsedBytes,
    browserBytes: tree?.bytes ?? null,
    browserProcesses: tree?.processes ?? null,
    memoryLimitBytes: limitBytes ?? null,
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

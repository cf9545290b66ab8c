import { systemClock } from '../clock.js';
import { systemFileSystem } from '../file-system.js';
import { silentLogger } from '../logger.js';
import { defaultPaths } from '../platform.js';
import type { ResolvedOptions } from './types.js';

/** The time between two backups when one of the stores for them is away from this machine, ms. */
export const REMOTE_BACKUP_INTERVAL_MS = 3_600_000;

/**
 * The value of every option that is not given. The paths are relative and meant for a machine without a known
 * platform; a platform may have other paths, and a LocalAuth may have its own clientId.
 */
export const DEFAULT_OPTIONS: ResolvedOptions = Object.freeze<ResolvedOptions>({
  clientId: 'whatsapp-automation-pro-v2',
  maxSessionSizeMb: 150,
  sessionTimeoutMs: 45_000,
  puppeteerTimeoutMs: 30_000,
  maxInitRetries: 3,
  healthCheckIntervalMs: 15_000,
  reconnectDelayMs: 5000,
  reconnectMaxDelayMs: 300_000,
  maxReconnectAttempts: 5,
  backupIntervalMs: 300_000,
  sessionValidationIntervalMs: 60_000,
  forceSaveIntervalMs: 120_000,
  followIntervalMs: 10_000,
  maxConcurrentCaptures: 2,
  ...defaultPaths({}),
  store: undefined,
  backupStore: undefined,
  compression: 'fast',
  retention: Object.freeze({
    saves: Object.freeze({ keepLast: 10 }),
    backups: Object.freeze({ keepLast: 12, keepDaily: 7 }),
    maxTotalMb: 1024,
  }),
  shutdownSignals: Object.freeze<NodeJS.Signals[]>(['SIGTERM', 'SIGINT', 'SIGHUP']),
  onLogout: 'relogin',
  onConflict: 'wait',
  maxRollbackMs: 7 * 24 * 60 * 60 * 1000,
  logger: silentLogger,
  clock: systemClock,
  fs: systemFileSystem,
  random: Math.random,
});

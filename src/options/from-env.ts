import type { Environment } from '../platform.js';
import {
  type Check,
  clientId,
  count,
  countOrInfinity,
  interval,
  megabytes,
  milliseconds,
  path,
  refuse,
  show,
} from './checks.js';
import type { PersistentSessionOptions } from './types.js';

/**
 * Reads the documented variables and returns them as options: `CLIENT_ID`, `MAX_SESSION_SIZE_MB`,
 * `SESSION_TIMEOUT_MS`, `PUPPETEER_TIMEOUT_MS`, `MAX_INIT_RETRIES`, `RECONNECT_DELAY_MS`, `MAX_RECONNECT_ATTEMPTS`,
 * `HEALTH_CHECK_INTERVAL_MS`, `BACKUP_INTERVAL_MS`, `SESSION_VALIDATION_INTERVAL_MS`, `FORCE_SAVE_INTERVAL_MS`, `SESSION_PATH`,
 * `BACKUP_SESSION_PATH`. One that is missing or empty is left out.
 *
 * Nothing calls it for you: `CLIENT_ID` means something else in many bots.
 *
 * @throws ConfigurationError that names the variable, its value and what is accepted.
 * @example new PersistentSession(client, { ...fromEnv(), logger: console });
 */
export function fromEnv(env: Environment = process.env): PersistentSessionOptions {
  const entries = Object.entries(VARIABLES).flatMap(([option, [name, read]]) => {
    const text = env[name]?.trim() ?? '';
    return text === '' ? [] : [[option, read(text, name)]];
  });
  return Object.fromEntries(entries);
}

type Readable = keyof Omit<
  PersistentSessionOptions,
  | 'reconnectMaxDelayMs'
  | 'maxConcurrentCaptures'
  | 'store'
  | 'backupStore'
  | 'compression'
  | 'retention'
  | 'shutdownSignals'
  | 'onLogout'
  | 'onConflict'
  | 'maxRollbackMs'
  | 'logger'
  | 'clock'
  | 'fs'
  | 'random'
>;

const VARIABLES: {
  readonly [Option in Readable]: readonly [
    name: string,
    read: (text: string, name: string) => NonNullable<PersistentSessionOptions[Option]>,
  ];
} = {
  clientId: ['CLIENT_ID', clientId],
  maxSessionSizeMb: ['MAX_SESSION_SIZE_MB', numberThat(megabytes)],
  sessionTimeoutMs: ['SESSION_TIMEOUT_MS', numberThat(milliseconds)],
  puppeteerTimeoutMs: ['PUPPETEER_TIMEOUT_MS', numberThat(milliseconds)],
  maxInitRetries: ['MAX_INIT_RETRIES', numberThat(count)],
  healthCheckIntervalMs: ['HEALTH_CHECK_INTERVAL_MS', numberThat(interval)],
  reconnectDelayMs: ['RECONNECT_DELAY_MS', numberThat(milliseconds)],
  maxReconnectAttempts: ['MAX_RECONNECT_ATTEMPTS', numberThat(countOrInfinity)],
  backupIntervalMs: ['BACKUP_INTERVAL_MS', numberThat(interval)],
  sessionValidationIntervalMs: ['SESSION_VALIDATION_INTERVAL_MS', numberThat(interval)],
  forceSaveIntervalMs: ['FORCE_SAVE_INTERVAL_MS', numberThat(interval)],
  sessionPath: ['SESSION_PATH', unquoted(path)],
  backupPath: ['BACKUP_SESSION_PATH', unquoted(path)],
};

/** Only plain decimal numbers: `Number()` would also take `0x10`, `1e3` and blanks. */
function numberThat(check: Check<number>): (text: string, name: string) => number {
  return (text, name) => {
    if (/[٠-٩۰-۹]/.test(text)) {
      refuse(name, show(text), 'the digits 0 to 9 (not Arabic-Indic ones), for example 45000');
    }
    // What is no number at all is refused in the words of the check.
    return check(/^(-?\d+(\.\d+)?|Infinity)$/.test(text) ? Number(text) : text, name);
  };
}

/** `docker run --env-file` keeps the quotes of `SESSION_PATH="/data"`, and a folder of that name would be made. */
function unquoted(check: Check<string>): (text: string, name: string) => string {
  return (text, name) =>
    /^(["']).*\1$/.test(text) ? refuse(name, show(text), 'the path without quotes') : check(text, name);
}

import { resolve } from 'node:path';
import type { Clock } from '../clock.js';
import type { FileSystem } from '../file-system.js';
import type { Logger } from '../logger.js';
import { findBotFolder } from '../platform/bot-folder.js';
import { defaultPaths, type Environment } from '../platform.js';
import type { SessionStore } from '../stores/session-store.js';
import { guardClock } from './callbacks/guard-clock.js';
import { guardLogger } from './callbacks/guard-logger.js';
import { guardRandom } from './callbacks/guard-random.js';
import * as check from './checks.js';
import { resolveClientId } from './client-id.js';
import { DEFAULT_OPTIONS, REMOTE_BACKUP_INTERVAL_MS } from './defaults.js';
import { refuseOverlaps } from './paths.js';
import type { PersistentSessionOptions, ResolvedOptions, ResolvedRetention } from './types.js';
import { refuseUnknown } from './unknown-option.js';

/** The surroundings that options are resolved against. */
export interface OptionsContext {
  /** The folder of the profile, when the client decides it; absolute. */
  readonly profileDir?: string;
  /** The clientId of the client's LocalAuth, if it has one. */
  readonly strategyClientId?: string;
  /** The folder that the client was given for its login: LocalAuth's `dataPath`, or its `userDataDir`; absolute. */
  readonly authPath?: string;
  /** Default: the working directory. */
  readonly cwd?: string;
  /** The folder of the bot's package, if there is one; see {@link findBotFolder}. Default: that of the main script. */
  readonly botFolder?: string | undefined;
  /**
   * Environment variables that reveal the platform, for the default paths; no option is read from them. Default:
   * `process.env`.
   */
  readonly env?: Environment;
  /** Default: `process.platform`. */
  readonly platform?: NodeJS.Platform;
}

/**
 * Checks the options and fills in the missing ones. Touches nothing on disk: a share that hangs would stop the process.
 *
 * @throws ConfigurationError that names the option, its value and what is accepted.
 */
export function resolveOptions(
  given: PersistentSessionOptions = {},
  context: OptionsContext = {},
): ResolvedOptions {
  section(given, 'options', Object.keys(DEFAULT_OPTIONS), '');
  const { cwd = process.cwd(), env = process.env, profileDir } = context;
  const defaults = { ...DEFAULT_OPTIONS, ...defaultPaths(env), ...remoteDefaults(given.backupStore) };
  const take = <Name extends keyof PersistentSessionOptions>(
    name: Name,
    accept: check.Check<ResolvedOptions[Name]>,
  ): ResolvedOptions[Name] => (given[name] === undefined ? defaults[name] : accept(given[name], name));

  const safeLogger = guardLogger(take('logger', logger));
  const options: ResolvedOptions = {
    clientId: resolveClientId(given.clientId, { ...context, bases: basesOf(context, cwd) }),
    maxSessionSizeMb: take('maxSessionSizeMb', check.megabytes),
    sessionTimeoutMs: take('sessionTimeoutMs', check.milliseconds),
    puppeteerTimeoutMs: take('puppeteerTimeoutMs', check.milliseconds),
    maxInitRetries: take('maxInitRetries', check.count),
    healthCheckIntervalMs: take('healthCheckIntervalMs', check.interval),
    reconnectDelayMs: take('reconnectDelayMs', check.milliseconds),
    reconnectMaxDelayMs: take('reconnectMaxDelayMs', check.milliseconds),
    maxReconnectAttempts: take('maxReconnectAttempts', check.countOrInfinity),
    backupIntervalMs: take('backupIntervalMs', check.interval),
    sessionValidationIntervalMs: take('sessionValidationIntervalMs', check.interval),
    forceSaveIntervalMs: take('forceSaveIntervalMs', check.interval),
    followIntervalMs: take('followIntervalMs', check.interval),
    maxConcurrentCaptures: take('maxConcurrentCaptures', check.positiveCount),
    sessionPath: resolve(cwd, take('sessionPath', check.path)),
    backupPath: resolve(cwd, take('backupPath', check.path)),
    store: take('store', store),
    backupStore: take('backupStore', oneOrMoreStores),
    compression: take('compression', check.oneOf('fast', 'small')),
    retention: take('retention', retention),
    shutdownSignals: take('shutdownSignals', check.listOf(signal)),
    onLogout: take('onLogout', check.oneOf('relogin', 'stop')),
    onConflict: take('onConflict', check.oneOf('wait', 'stop')),
    maxRollbackMs: take('maxRollbackMs', check.milliseconds),
    // All callbacks are made safe here, so that no other code has to expect a callback of the bot to fail.
    logger: safeLogger,
    clock: guardClock(take('clock', clock), safeLogger),
    fs: take('fs', fileSystem),
    random: guardRandom(take('random', check.randomSource), DEFAULT_OPTIONS.random, safeLogger),
  };
  const backupsElsewhere = given.backupStore !== undefined && given.backupPath === undefined;
  refuseOverlaps(
    { ...options, backupPath: backupsElsewhere ? undefined : options.backupPath, profileDir },
    { platform: context.platform ?? process.platform },
  );
  return Object.freeze(options);
}

/** A zip is the whole profile: every 5 minutes, a bucket would get gigabytes a day. */
function remoteDefaults(backupStore: unknown): Partial<ResolvedOptions> {
  const stores: unknown[] = Array.isArray(backupStore) ? backupStore : [backupStore];
  const isRemote = (one: unknown) => check.isObject(one) && one.localPath === undefined;
  return stores.some(isRemote) ? { backupIntervalMs: REMOTE_BACKUP_INTERVAL_MS } : {};
}

function basesOf(context: OptionsContext, cwd: string): readonly string[] {
  const botFolder = 'botFolder' in context ? context.botFolder : findBotFolder();
  return botFolder === undefined ? [cwd] : [botFolder, cwd];
}

const store: check.Check<SessionStore> = (value, name) => {
  const methods = ['put', 'get', 'head', 'list', 'delete'];
  const found = check.withMethods<SessionStore>('a SessionStore', ...methods)(value, name);
  if (typeof found.name !== 'string' || found.name === '') {
    check.refuse(`${name}.name`, check.show(found.name), 'a short name for messages');
  }
  if (!check.isObject(found.capabilities) || typeof found.capabilities.conditionalPut !== 'boolean') {
    check.refuse(`${name}.capabilities`, check.show(found.capabilities), '{ conditionalPut: boolean, … }');
  }
  return found;
};

const oneOrMoreStores: check.Check<readonly SessionStore[]> = (value, name) => {
  if (!Array.isArray(value)) return Object.freeze([store(value, name)]);
  if (value.length === 0) check.refuse(name, 'an empty list', 'a SessionStore or a list of them');
  return check.listOf(store)(value, name);
};

const retention: check.Check<ResolvedRetention> = (value, name) => {
  const { saves, backups, maxTotalMb } = DEFAULT_OPTIONS.retention;
  const all = section(value, name, ['saves', 'backups', 'maxTotalMb']);
  const ofSaves = section(all.saves, `${name}.saves`, ['keepLast']);
  const ofBackups = section(all.backups, `${name}.backups`, ['keepLast', 'keepDaily']);
  const { positiveCount, count, megabytes } = check;
  return Object.freeze({
    saves: Object.freeze({
      keepLast: positiveCount(ofSaves.keepLast ?? saves.keepLast, `${name}.saves.keepLast`),
    }),
    backups: Object.freeze({
      keepLast: positiveCount(ofBackups.keepLast ?? backups.keepLast, `${name}.backups.keepLast`),
      keepDaily: count(ofBackups.keepDaily ?? backups.keepDaily, `${name}.backups.keepDaily`),
    }),
    maxTotalMb: megabytes(all.maxTotalMb ?? maxTotalMb, `${name}.maxTotalMb`),
  });
};

function section(
  value: unknown,
  name: string,
  known: readonly string[],
  prefix = `${name}.`,
): Record<string, unknown> {
  if (value === undefined) return {};
  if (!check.isObject(value) || Array.isArray(value)) {
    return check.refuse(name, check.show(value), `an object with ${known.join(', ')}`);
  }
  refuseUnknown(value, known, prefix);
  return value;
}

// Not accepted: SIGKILL and SIGSTOP can't be handled, SIGUSR1 starts node's debugger, and the remaining signals mean
// that the process is broken.
const signal = check.oneOf('SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGBREAK', 'SIGUSR2');

const logger = check.withMethods<Logger>('a logger such as console', 'debug', 'info', 'warn', 'error');

const clock = check.withMethods<Clock>('a Clock', 'now', 'monotonic', 'setTimeout', 'clearTimeout');

const fileSystem: check.Check<FileSystem> = (value, name) => {
  const found = check.withMethods<FileSystem>(
    'an object shaped like node:fs',
    'createReadStream',
    'createWriteStream',
  )(value, name);
  check.withMethods(
    'that of node:fs',
    'open',
    'rename',
    'link',
    'readdir',
    'rm',
  )(found.promises, `${name}.promises`);
  return found;
};

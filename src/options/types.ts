import type { Clock } from '../clock.js';
import type { FileSystem } from '../file-system.js';
import type { Logger } from '../logger.js';
import type { SessionStore } from '../stores/session-store.js';

// A new option is named in seven more places: CONTRIBUTING.md, "Add an option".

/**
 * Options of a `PersistentSession`. All are optional; a wrong or unknown one is refused by the constructor with a
 * message that names it.
 *
 * Every `...Ms` is an integer from 1 to 2147483647. Nothing is read from the environment unless you ask for it:
 * see {@link fromEnv} for the documented variables.
 *
 * @example new PersistentSession(client, { ...fromEnv(), sessionPath: '/data/session', logger: console });
 */
export interface PersistentSessionOptions {
  /**
   * Which session this is: letters, digits, `-` and `_`, at most 100. If the LocalAuth has a clientId, that one
   * counts, and a different one here is refused. Give every account its own id. Variable: `CLIENT_ID`.
   * @defaultValue the LocalAuth's own; else derived from a `dataPath` that is not LocalAuth's default, or from the
   * `userDataDir` (`sessions/anna` becomes `sessions-anna-b0b9341e`); else `'whatsapp-automation-pro-v2'`
   */
  readonly clientId?: string;
  /**
   * Size of the profile, in megabytes (2^20 bytes), above which Chromium's caches in it are removed before every
   * start, and emptied while it runs (at most once an hour). In a smaller profile they are removed only before the
   * first start and after the final stop. Any number above 0. Variable: `MAX_SESSION_SIZE_MB`.
   * @defaultValue 150
   */
  readonly maxSessionSizeMb?: number;
  /**
   * Deadline from a start to `ready` or a QR, and from a scan to `ready`, in ms, counted from the last sign of
   * progress. In total it is at most ten times this value. Variable: `SESSION_TIMEOUT_MS`.
   * @defaultValue 45000
   */
  readonly sessionTimeoutMs?: number;
  /** Deadline of a single browser call, in ms. Variable: `PUPPETEER_TIMEOUT_MS`. @defaultValue 30000 */
  readonly puppeteerTimeoutMs?: number;
  /** How often a failed start is tried again at once; 0 means never. Variable: `MAX_INIT_RETRIES`. @defaultValue 3 */
  readonly maxInitRetries?: number;
  /**
   * Time between two health checks, in ms, from `initialize()` to the end of `destroy()`; each emits
   * `health:checked`. With 0 health is checked only by `checkHealth()`, so a page that hangs is not detected and
   * not reconnected automatically. Variable: `HEALTH_CHECK_INTERVAL_MS`.
   * @defaultValue 15000
   */
  readonly healthCheckIntervalMs?: number;
  /**
   * The longest delay before the first reconnect, in ms; it doubles with every attempt. The actual delay is a
   * random time from half of this value up to that longest delay, so that nothing loops faster.
   * Variable: `RECONNECT_DELAY_MS`.
   * @defaultValue 5000
   */
  readonly reconnectDelayMs?: number;
  /**
   * The longest delay before a reconnect, in ms; after a conflict it is at least a minute.
   * @defaultValue 300000 (5 minutes)
   */
  readonly reconnectMaxDelayMs?: number;
  /**
   * Number of reconnects before the session becomes `failed`. 0: none; `Infinity`: never gives up. Attempts are
   * not counted while the network is down, or while the store that must deliver the login is down. The count
   * starts again after the session was `ready`, or a QR waited, for a minute. Variable: `MAX_RECONNECT_ATTEMPTS`.
   * @defaultValue 5
   */
  readonly maxReconnectAttempts?: number;
  /**
   * Time between two backups (zips), in ms. 0: only when `backup()` is called. Variable: `BACKUP_INTERVAL_MS`.
   * One is also taken as soon as a new login is whole on the disk.
   * @defaultValue 300000; 3600000 where a `backupStore` is away from this machine, since a zip is the whole profile
   */
  readonly backupIntervalMs?: number;
  /**
   * Time between two checks of the live profile, in ms. 0: none. Variable: `SESSION_VALIDATION_INTERVAL_MS`.
   * @defaultValue 60000
   */
  readonly sessionValidationIntervalMs?: number;
  /**
   * Time between two saves (incremental snapshots), in ms. 0: only when `forceSave()` is called.
   * Variable: `FORCE_SAVE_INTERVAL_MS`.
   * @defaultValue 120000
   */
  readonly forceSaveIntervalMs?: number;
  /**
   * How often, between two saves, what the page has written to IndexedDB is put into the store of the saves, in ms; nothing
   * while nothing was written. A restore of the newest save then brings that back, too. 0: never, so that a loss of
   * machine and disk costs up to `forceSaveIntervalMs`. Without effect if that is 0.
   * Variable: `FOLLOW_INTERVAL_MS`.
   * @defaultValue 10000
   */
  readonly followIntervalMs?: number;
  /**
   * How many profiles this process may capture at once, over all its sessions; further captures wait for their
   * turn. A capture of this session begins only while fewer captures than this number are running. At least 1.
   * @defaultValue 2
   */
  readonly maxConcurrentCaptures?: number;
  /**
   * Folder of the saves, and of the profile when the client has no LocalAuth. A relative path starts at the
   * working directory. Variable: `SESSION_PATH`.
   * @defaultValue on Railway `<volume>/persistent-session` or `/app/persistent-session`, else `./persistent-session`
   * @example sessionPath: '/data/persistent-session'
   */
  readonly sessionPath?: string;
  /**
   * Folder of the backups; neither inside `sessionPath` nor around it. Variable: `BACKUP_SESSION_PATH`.
   * @defaultValue on Railway `<volume>/session-backup` or `/tmp/session-backup`, else `./session-backup`
   * @example backupPath: '/mnt/other-disk/session-backup'
   */
  readonly backupPath?: string;
  /** The store for the saves. @defaultValue a `FileSystemStore` in `sessionPath` */
  readonly store?: SessionStore;
  /**
   * The store for the backups, or several stores that each get every backup.
   * @defaultValue a `BackupDirStore` in `backupPath`
   */
  readonly backupStore?: SessionStore | readonly SessionStore[];
  /**
   * How the zips of backups are packed. `'fast'` stores LevelDB's tables as they are (Chromium has compressed them
   * already) and deflates the rest lightly; `'small'` deflates everything well, which needs less room and several
   * times the CPU time. Backups of both kinds can be restored with either setting.
   * @defaultValue 'fast'
   */
  readonly compression?: 'fast' | 'small';
  /**
   * How many snapshots are kept. Missing fields keep their defaults.
   * @defaultValue `{ saves: { keepLast: 10 }, backups: { keepLast: 12, keepDaily: 7 }, maxTotalMb: 1024 }`
   * @example retention: { backups: { keepDaily: 30 } }
   */
  readonly retention?: RetentionOptions;
  /**
   * Signals on which the session is saved and closed before the process ends; `[]`: none.
   * @defaultValue `['SIGTERM', 'SIGINT', 'SIGHUP']`
   */
  readonly shutdownSignals?: readonly NodeJS.Signals[];
  /** After a logout: `'relogin'` starts again and asks for a QR, `'stop'` ends in `stopped`. @defaultValue 'relogin' */
  readonly onLogout?: 'relogin' | 'stop';
  /**
   * When WhatsApp Web was opened elsewhere: `'wait'` tries again after a minute, and doubles the time with each
   * attempt; `'stop'` ends in `stopped`.
   * @defaultValue 'wait'
   */
  readonly onConflict?: 'wait' | 'stop';
  /**
   * Maximum age of a snapshot that may be restored after the newest one was rejected, in ms.
   * @defaultValue 604800000 (7 days)
   */
  readonly maxRollbackMs?: number;
  /**
   * Gets a line for everything that happens; a logger that fails does no harm. pino's order of arguments is
   * supported.
   * @defaultValue silent
   * @example logger: console
   */
  readonly logger?: Logger;
  /** The clock; replace it in tests. When it fails, the system's clock is used. @defaultValue the real one */
  readonly clock?: Clock;
  /** The file system; replace it in tests. @defaultValue `node:fs` */
  readonly fs?: FileSystem;
  /**
   * Source of random numbers, 0 <= x < 1; replace it in tests. When it fails, the default is used.
   * @defaultValue `Math.random`
   */
  readonly random?: () => number;
}

/** How many snapshots are kept. The oldest are removed first, the last good one never. */
export interface RetentionOptions {
  readonly saves?: {
    /** Number of the newest saves that are kept, at least 1. @defaultValue 10 */
    readonly keepLast?: number;
  };
  readonly backups?: {
    /** Number of the newest backups that are kept, at least 1. @defaultValue 12 */
    readonly keepLast?: number;
    /** Keeps the newest backup of each of this many last days (UTC) that have one; 0: none. @defaultValue 7 */
    readonly keepDaily?: number;
  };
  /** Megabytes (2^20 bytes) that all snapshots of a session together may use; any number above 0. @defaultValue 1024 */
  readonly maxTotalMb?: number;
}

/** {@link RetentionOptions}, complete. */
export interface ResolvedRetention {
  readonly saves: { readonly keepLast: number };
  readonly backups: { readonly keepLast: number; readonly keepDaily: number };
  readonly maxTotalMb: number;
}

/** {@link PersistentSessionOptions}, checked, complete and frozen; paths are absolute. */
export interface ResolvedOptions
  extends Required<Omit<PersistentSessionOptions, 'store' | 'backupStore' | 'retention'>> {
  readonly retention: ResolvedRetention;
  /** Undefined means the default store in `sessionPath`. */
  readonly store: SessionStore | undefined;
  /** Undefined means the default store in `backupPath`. */
  readonly backupStore: readonly SessionStore[] | undefined;
}

import { describeError } from '../../errors.js';
import { LogThrottle } from '../../log-throttle.js';
import { PeriodicTask } from '../../periodic-task.js';
import type { Follower } from '../../profile/follow/follower.js';
import type { SaveResult } from '../../results.js';
import type { SessionContext } from '../context/session-context.js';
import type { SettleWatch } from './settle-watch.js';

/** The first save does not wait for the interval, because a login that is a minute old must survive a crash, too. */
const FIRST_SAVE_DELAY_MS = 2_000;
/** How often to check whether Local Storage has reached the disk, ms. */
const SETTLE_LOOK_INTERVAL_MS = 2_000;

export interface SaveScheduleParts {
  readonly settleWatch: SettleWatch;
  readonly forceSave: () => Promise<SaveResult>;
  readonly backup: () => Promise<SaveResult>;
  readonly validate: () => Promise<void>;
  /** Puts what was written since the last save. Never rejects. */
  readonly tick: () => Promise<void>;
  /** Whether the current lineage has no backup, or its last one is older than the interval or from another place. */
  readonly isBackupDue: () => Promise<boolean>;
}

/** Schedules the saves, backups and profile checks of a ready session. */
export class SaveSchedule {
  readonly #settleWatch: SettleWatch;
  readonly #follower: Follower;
  readonly #work: Pick<SaveScheduleParts, 'validate' | 'isBackupDue'> & {
    readonly forceSave: () => Promise<unknown>;
    readonly backup: () => Promise<unknown>;
  };
  readonly #tasks: {
    readonly save: PeriodicTask;
    readonly backup: PeriodicTask;
    readonly validation: PeriodicTask;
    readonly tail: PeriodicTask;
  };
  readonly #settleLook: PeriodicTask;
  readonly #savesEnabled: boolean;
  readonly #backupsEnabled: boolean;

  constructor(context: SessionContext, { settleWatch, ...work }: SaveScheduleParts) {
    const { clock, random, options, logger } = context;
    this.#settleWatch = settleWatch;
    this.#follower = context.follower;
    // Saves announce their own failures, and a failed save must not prevent the backup after it.
    const announced = (take: () => Promise<SaveResult>) => () => take().catch(() => undefined);
    this.#work = { ...work, forceSave: announced(work.forceSave), backup: announced(work.backup) };
    this.#savesEnabled = options.forceSaveIntervalMs > 0;
    this.#backupsEnabled = options.backupIntervalMs > 0;
    const throttle = new LogThrottle(clock);
    const every = (what: string, intervalMs: number, task: () => Promise<unknown>) =>
      new PeriodicTask({
        clock,
        random,
        intervalMs,
        work: async () => {
          await task();
          const failed = throttle.end(what);
          if (failed) logger.info(`${what} works again`, failed);
        },
        onError: (error) => {
          const told = throttle.next(what);
          if (told) logger.warn(`${what} failed`, { error: describeError(error), ...told });
        },
      });
    this.#tasks = {
      save: every('a save', options.forceSaveIntervalMs, this.#work.forceSave),
      backup: every('a backup', options.backupIntervalMs, this.#work.backup),
      validation: every('the look at the profile', options.sessionValidationIntervalMs, work.validate),
      tail: every('a tick', this.#savesEnabled ? options.followIntervalMs : 0, work.tick),
    };
    this.#settleLook = every('the look for the first save', SETTLE_LOOK_INTERVAL_MS, () =>
      this.#saveWhenSettled(),
    );
  }

  /** Call at `ready`. */
  start(): void {
    this.#tasks.save.start(FIRST_SAVE_DELAY_MS);
    this.#tasks.backup.start();
    this.#tasks.validation.start();
    this.#tasks.tail.start();
    if (this.#savesEnabled || this.#backupsEnabled) this.#settleLook.start();
  }

  /** Call when the session is no longer ready. */
  stop(): void {
    for (const task of [...Object.values(this.#tasks), this.#settleLook]) task.stop();
    void this.#follower.stop();
  }

  // Both halves of the login are on the disk, so this copy is a good one and the first backup is taken now. A due
  // backup is also taken now, because every `ready` restarts the interval, and a session that comes and goes would
  // never reach it.
  async #saveWhenSettled(): Promise<void> {
    if (!(await this.#settleWatch.isSettled())) return;
    this.#settleLook.stop();
    if (this.#savesEnabled) await this.#work.forceSave();
    if (this.#backupsEnabled && (await this.#work.isBackupDue())) await this.#work.backup();
  }
}

import { isPassingFault } from '../../busy.js';
import type { ClientEvent } from '../../client/client-event.js';
import { describeError, isSessionError, StartFailedError } from '../../errors.js';
import type { DisconnectCause } from '../../events.js';
import { whileAlive } from '../../keep-alive.js';
import type { SessionState } from '../../state.js';
import type { BrowserStopper } from '../browser/browser-stopper.js';
import type { OperationQueue } from '../context/operation-queue.js';
import type { SessionContext } from '../context/session-context.js';
import { asSessionError } from '../context/session-error.js';
import type { LineageKeeper } from '../login/lineage-keeper.js';
import type { PairingWatch } from '../login/pairing-watch.js';
import type { Revoker } from '../login/revoker.js';
import type { ProfileHolder } from '../ownership/profile-holders.js';
import type { SessionOwnership } from '../ownership/session-ownership.js';
import { RestartPace } from '../reconnect/restart-pace.js';
import { isShort } from '../reconnect/setback.js';
import type { StartRetries, StartRetriesResult } from '../reconnect/start-retries.js';
import { assertWritable, DISK_DEADLINE_MS } from '../start/assert-writable.js';
import { warnOfStorage } from '../start/warn-of-storage.js';
import { type OwnStop, ownStop } from './own-stop.js';
import type { RemovalWatch } from './removal-watch.js';
import type { Run } from './run.js';

export interface RunStartsParts {
  readonly startRetries: StartRetries;
  readonly lineageKeeper: LineageKeeper;
  readonly operations: OperationQueue;
  readonly ownership: SessionOwnership;
  readonly pairingWatch: PairingWatch;
  readonly removalWatch: RemovalWatch;
  readonly revoker: Revoker;
  readonly stopper: BrowserStopper;
}

/** Callbacks for what a start can't do itself. */
export interface RunStartsHooks {
  /** Called when a signal asks the process to end. */
  readonly shutdown: () => Promise<void>;
  /** Tells other sessions of this process that want the profile how this one responds. */
  readonly holder: ProfileHolder;
  /** Stops the session without a call. */
  readonly stopByItself: (why: OwnStop) => void;
  /** Handles an event that came at the very end of the start. */
  readonly decide: (run: Run, event: ClientEvent) => void;
  /** Called when the run has failed for good, so that it no longer exists. */
  readonly forget: () => void;
}

/** The ways to start a run: at first, after a loss, after a logout. */
export class RunStarts {
  readonly #context: SessionContext;
  readonly #parts: RunStartsParts;
  readonly #hooks: RunStartsHooks;
  readonly #pace: RestartPace;

  constructor(context: SessionContext, parts: RunStartsParts, hooks: RunStartsHooks) {
    this.#context = context;
    this.#parts = parts;
    this.#hooks = hooks;
    this.#pace = new RestartPace(context);
  }

  /** The start of `initialize()`. */
  async first(run: Run): Promise<void> {
    await this.#guard(run, async () => {
      const { ownership, startRetries, removalWatch } = this.#parts;
      this.#context.runner.warmUp?.(); // the thread loads while the lease and the stores are asked
      startRetries.reset();
      await removalWatch.end(run.abort.signal);
      await this.#pace.takeTurn(run.abort.signal);
      await this.#onDisk(() => this.#context.settlePlace());
      const { signal } = run.abort;
      // What is left to do before the first attempt. A step that a disk refuses for a moment is repeated with the next one.
      const steps = [
        () => ownership.take(() => this.#hooks.shutdown(), this.#hooks.holder, signal),
        () => this.#takeNotes(),
        () => warnOfStorage(this.#context),
      ];
      const own = async () => {
        try {
          for (let step = steps[0]; step !== undefined; step = steps[0]) {
            await step();
            steps.shift();
          }
        } catch (error) {
          const { state, moveTo } = this.#context;
          if (isShort(error) && isAtRest(state())) moveTo('restoring'); // the start is repeated later
          throw error;
        }
      };
      await this.#onDisk(() => assertWritable(this.#context)).catch((error: unknown) => {
        if (!isPassingFault(error)) throw error;
        steps.unshift(() => this.#onDisk(() => assertWritable(this.#context)));
      });
      await this.#conclude(run, await startRetries.run({ signal, own }));
    });
  }

  /** After a loss: closes what is left of the browser, then starts again. */
  async afterLoss(run: Run, cause: DisconnectCause, atOnce: boolean): Promise<void> {
    await this.#guard(run, async () => {
      const { operations, stopper, startRetries } = this.#parts;
      await operations.exclusive(() => stopper.stop());
      await this.#conclude(run, await startRetries.run({ signal: run.abort.signal, cause, atOnce }));
    });
  }

  /** After a logout by the phone, which is final: starts afresh, unless the user does not want that. */
  async afterLogout(run: Run): Promise<void> {
    await this.#guard(run, async () => {
      const { operations, stopper, revoker, startRetries, lineageKeeper } = this.#parts;
      await lineageKeeper.settled();
      await revoker.note();
      let isRevoked = false;
      const before = async () => {
        if (isRevoked) return;
        await operations.exclusive(async () => {
          await stopper.stop();
          await revoker.revoke('phone');
        });
        isRevoked = true;
      };
      // A disk that is full or does not answer must not end the session: the next attempt revokes the login.
      await before().catch((error: unknown) => this.#tellUnrevoked(error));
      if (this.#context.options.onLogout === 'stop') {
        run.stopsAfterLogout = true;
        return this.#hooks.stopByItself(ownStop('logged-out'));
      }
      const { signal } = run.abort;
      await this.#conclude(run, await startRetries.run({ signal, cause: 'logged-out', before }));
    });
  }

  #onDisk(work: () => Promise<void>): Promise<void> {
    const { startWaits, options, profileDir } = this.#context;
    const what = { kind: 'disk', folders: [options.sessionPath, profileDir] } as const;
    return startWaits.during(what, DISK_DEADLINE_MS, work);
  }

  /** Loads the record, and adds logouts that were noted only beside it. */
  async #takeNotes(): Promise<void> {
    const { record, logoutNote } = this.#context;
    await record.load();
    if ((await logoutNote.lineages()).length === 0) return;
    try {
      await record.update({});
    } catch (error) {
      return this.#tellUnrevoked(error); // the notes stay, and the next start reads them again
    }
    await logoutNote.remove();
  }

  #tellUnrevoked(error: unknown): void {
    const why = describeError(error).message;
    this.#context.warn('revocation-incomplete', `the logout could not be written down yet: ${why}`);
  }

  /** Cleans up after a start that failed for good. An aborted start is cleaned up by whoever aborted it. */
  async #guard(run: Run, start: () => Promise<void>): Promise<void> {
    try {
      await whileAlive(start);
    } catch (error) {
      if (!run.abort.signal.aborted || run.endedBy) this.#pace.noteFailure();
      if (run.abort.signal.aborted) throw run.endedBy ?? run.abort.signal.reason;
      // A StartFailedError sums up errors that were already noted.
      if (!isStartFailed(error)) this.#parts.startRetries.noteError(error);
      this.#hooks.forget();
      await this.#parts.operations.exclusive(() => this.#parts.stopper.stop());
      await this.#parts.ownership.giveUp();
      const { state, moveTo } = this.#context;
      if (!isAtRest(state())) {
        const { code } = asSessionError(error, 'initialize');
        moveTo('stopping', code);
        moveTo('stopped', code);
      }
      throw error;
    }
  }

  async #conclude(run: Run, result: StartRetriesResult): Promise<void> {
    run.isStarting = false;
    const { pending } = run;
    run.pending = undefined;
    switch (result.kind) {
      case 'ready':
      case 'pairing':
        this.#pace.noteUp();
        if (pending !== undefined) this.#hooks.decide(run, pending);
        else if (result.kind === 'pairing') this.#parts.pairingWatch.begin();
        return;
      case 'logged-out':
      case 'gave-up': {
        const why = result.kind === 'gave-up' ? ownStop(result.cause, result.detail) : ownStop('logged-out');
        run.endedBy = new StartFailedError(why.error.message, { retryable: false });
        this.#hooks.stopByItself(why);
        throw run.endedBy;
      }
    }
  }
}

function isStartFailed(error: unknown): boolean {
  return isSessionError(error) && error.code === 'START_FAILED';
}

function isAtRest(state: SessionState): boolean {
  return state === 'idle' || state === 'stopped' || state === 'failed';
}

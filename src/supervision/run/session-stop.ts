import { ClosedError } from '../../errors.js';
import { whileAlive } from '../../keep-alive.js';
import { isUp } from '../../state.js';
import type { OperationQueue } from '../context/operation-queue.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionOwnership } from '../ownership/session-ownership.js';
import type { StartRetries } from '../reconnect/start-retries.js';
import type { OwnStopCause } from './own-stop.js';
import type { RemovalWatch } from './removal-watch.js';
import type { Run } from './run.js';
import type { CloseRequest, SessionCloser } from './session-closer.js';

/** How long copies already being written to a store may take when the session begins to stop, ms. */
const COPIES_END_MS = 4_000;
/**
 * Time limit for all writes to stores while the session stops, counted from when the stop begins, ms; then they are
 * aborted.
 */
const STORES_END_MS = 8_500;

export interface SessionStopParts {
  readonly closer: SessionCloser;
  readonly operations: OperationQueue;
  readonly ownership: SessionOwnership;
  readonly removalWatch: RemovalWatch;
  readonly startRetries: StartRetries;
}

/** What the stop needs of the supervisor. */
export interface StoppedRun {
  readonly current: () => Run | undefined;
  /** Starts no more saves and ends a running one, because the browser is going away. */
  readonly pause: (run: Run) => void;
  /** Called when the run has ended. */
  readonly forget: () => void;
}

/** Stops the session: ends its run, closes it and gives its ownership up. Concurrent calls join. */
export class SessionStop {
  readonly #context: SessionContext;
  readonly #parts: SessionStopParts;
  readonly #run: StoppedRun;
  #running: Promise<void> | undefined;

  constructor(context: SessionContext, parts: SessionStopParts, run: StoppedRun) {
    this.#context = context;
    this.#parts = parts;
    this.#run = run;
  }

  /** The stop that is under way. */
  get running(): Promise<void> | undefined {
    return this.#running;
  }

  /** @throws LogoutFailedError when the device could not be unlinked; the session is stopped then, too */
  begin(request: CloseRequest, cause?: OwnStopCause): Promise<void> {
    this.#running ??= whileAlive(() => this.#stop(request, cause)).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #stop(request: CloseRequest, cause: OwnStopCause | undefined): Promise<void> {
    const { state, moveTo, clock } = this.#context;
    const { operations, ownership, closer, removalWatch } = this.#parts;
    const stoppingSince = clock.monotonic();
    const run = this.#run.current();
    if (!run && (state() === 'stopped' || state() === 'stopping'))
      return cause === undefined ? removalWatch.closedAgain(request) : undefined;
    const wasUp = isUp(state()) || this.#restsAfterReady(run);
    run?.abort.abort(new ClosedError('the session was closed'));
    if (run) this.#run.pause(run);
    const hasFailed = !run || state() === 'failed';
    moveTo('stopping', cause);
    // A running copy gets some time. The final save holds the later changes and needs its own time.
    const ending = operations.endBeside(COPIES_END_MS);
    await run?.settled.catch(() => undefined);
    try {
      const byItself = cause !== undefined && cause !== 'replaced' && cause !== 'LEASE_LOST'; // else another owns it
      const closing = { ...request, hasFailed, byItself };
      await operations.exclusive(() => closer.close(closing, wasUp, stoppingSince));
    } catch (error) {
      this.#parts.startRetries.noteError(error); // the status tells it, too: a caller may not keep it
      throw error;
    } finally {
      await ending;
      await operations.endBeside(STORES_END_MS - (clock.monotonic() - stoppingSince));
      this.#run.forget();
      await ownership.giveUp();
      if (state() === 'stopping') moveTo('stopped', cause); // otherwise a clear() has finished in the meantime
      removalWatch.begin();
      // The start that was stopped had not looked yet at a profile that its bot had left before.
      if (cause === undefined && request.byBot !== true) await removalWatch.closedAgain(request);
    }
  }

  /** Whether the browser of a ready session has ended and no start followed. Then the profile is unchanged since. */
  #restsAfterReady(run: Run | undefined): boolean {
    const isUntouched = run?.wasReady === true && this.#parts.startRetries.isWaiting;
    return isUntouched && this.#context.state() === 'reconnecting';
  }
}

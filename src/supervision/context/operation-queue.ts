import { type Clock, withDeadline } from '../../clock.js';
import { ClosedError } from '../../errors.js';
import { whileAlive } from '../../keep-alive.js';
import { Mutex } from '../../mutex.js';

/** How long a running save may go on when its session is no longer ready; then it is aborted. */
const PATIENCE_MS = 30_000;
/** What was aborted ends at once, unless it is stuck in the file system. */
const ABORT_MS = 500;

/**
 * One thing at a time at the profile: captures, restores, stops. They queue in the order of the calls and never
 * interleave. What has its copy and only brings it into a store goes on beside the queue, so that a store that hangs holds
 * up nobody else: each store has turns of its own.
 */
export class OperationQueue {
  readonly #clock: Clock;
  readonly #mutex = new Mutex();
  readonly #beside = new Set<Promise<unknown>>();
  #current = new AbortController();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** For work that needs the session ready; aborts when the session is so no more. */
  get signal(): AbortSignal {
    return this.#current.signal;
  }

  /** The session is ready: saves may run. */
  open(): void {
    if (this.#current.signal.aborted) this.#current = new AbortController();
  }

  /** The session is ready no more: what runs may finish soon, or is aborted. */
  shut(): void {
    const { signal } = this.#current;
    if (signal.aborted || (!this.#mutex.busy && this.#beside.size === 0)) return;
    const current = this.#current;
    const finished = this.#finished();
    withDeadline(this.#clock, PATIENCE_MS, 'the running save', finished).catch(() => {
      current.abort(new ClosedError('the session was closed while this ran'));
    });
  }

  /** Aborts what runs, at once. */
  abort(): void {
    this.#current.abort(new ClosedError('this process does not own the session any more'));
  }

  /** Gives what goes on beside the queue so long to end, then aborts it. Never rejects. */
  async endBeside(ms: number): Promise<void> {
    const current = this.#current;
    const work = Promise.allSettled(this.#beside);
    if (this.#beside.size === 0) return;
    try {
      await withDeadline(this.#clock, Math.max(0, ms), 'what goes into the stores', work);
    } catch {
      current.abort(new ClosedError('the session was closed while this ran'));
      await withDeadline(this.#clock, ABORT_MS, 'what was aborted', work).catch(() => undefined);
    }
  }

  /** Runs `work` beside the queue, until the session is over: it uses {@link signal}, and changes nothing of the profile. */
  beside<Result>(work: () => Promise<Result>): Promise<Result> {
    const working = whileAlive(work);
    const noted = working.catch(() => undefined).finally(() => this.#beside.delete(noted));
    this.#beside.add(noted);
    return working;
  }

  async #finished(): Promise<void> {
    await Promise.all([this.#mutex.runExclusive(() => undefined), ...this.#beside]);
  }

  /** Queues `work`. */
  exclusive<Result>(work: () => Promise<Result>): Promise<Result> {
    return whileAlive(() => this.#mutex.runExclusive(work));
  }
}

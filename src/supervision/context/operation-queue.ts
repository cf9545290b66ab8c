import { type Clock, withDeadline } from '../../clock.js';
import { ClosedError } from '../../errors.js';
import { whileAlive } from '../../keep-alive.js';
import { Mutex } from '../../mutex.js';

/** How long a running save may continue after its session is no longer ready, ms; then it is aborted. */
const PATIENCE_MS = 30_000;
/** How long to wait for an aborted save, ms. It ends at once unless it is stuck in the file system. */
const ABORT_MS = 500;

/**
 * Runs one operation on the profile at a time: captures, restores, stops. They run in the order of the calls and
 * never overlap.
 * Work that already has its copy and only writes it into a store runs beside the queue. So a store that hangs delays
 * nobody else; each store has its own order.
 */
export class OperationQueue {
  readonly #clock: Clock;
  readonly #mutex = new Mutex();
  readonly #beside = new Set<Promise<unknown>>();
  #current = new AbortController();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Signal for work that needs a ready session; aborts when the session is no longer ready. */
  get signal(): AbortSignal {
    return this.#current.signal;
  }

  /** Call when the session is ready: saves may run. */
  open(): void {
    if (this.#current.signal.aborted) this.#current = new AbortController();
  }

  /** Call when the session is no longer ready: running work must end soon or is aborted. */
  shut(): void {
    const { signal } = this.#current;
    if (signal.aborted || (!this.#mutex.busy && this.#beside.size === 0)) return;
    const current = this.#current;
    const finished = this.#finished();
    withDeadline(this.#clock, PATIENCE_MS, 'the running save', finished).catch(() => {
      current.abort(new ClosedError('the session was closed while this ran'));
    });
  }

  /** Aborts the running work at once. */
  abort(): void {
    this.#current.abort(new ClosedError('this process does not own the session any more'));
  }

  /** Waits up to `ms` for the work beside the queue, then aborts it. Never rejects. */
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

  /**
   * Runs `work` beside the queue until the session ends. The work uses {@link signal} and changes nothing in the
   * profile.
   */
  beside<Result>(work: () => Promise<Result>): Promise<Result> {
    const working = whileAlive(work);
    const noted = working.catch(() => undefined).finally(() => this.#beside.delete(noted));
    this.#beside.add(noted);
    return working;
  }

  async #finished(): Promise<void> {
    await Promise.all([this.#mutex.runExclusive(() => undefined), ...this.#beside]);
  }

  /** Runs `work` in the queue. */
  exclusive<Result>(work: () => Promise<Result>): Promise<Result> {
    return whileAlive(() => this.#mutex.runExclusive(work));
  }
}

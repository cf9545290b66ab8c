import { type Clock, withDeadline } from '../clock.js';
import { ClosedError } from '../errors.js';
import { Mutex } from '../mutex.js';
import { whileAlive } from './keep-alive.js';

/** How long a running save may go on when its session is stopped; then it is aborted. */
const PATIENCE_MS = 30_000;

/**
 * One thing at a time at the profile and the stores: saves, backups, restores, stops. They queue in the order of
 * the calls and never interleave.
 */
export class OperationQueue {
  readonly #clock: Clock;
  readonly #mutex = new Mutex();
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
    if (signal.aborted || !this.#mutex.busy) return;
    const current = this.#current;
    const finished = this.#mutex.runExclusive(() => undefined);
    withDeadline(this.#clock, PATIENCE_MS, 'the running save', finished).catch(() => {
      current.abort(new ClosedError('the session was closed while this ran'));
    });
  }

  /** Aborts what runs, at once. */
  abort(): void {
    this.#current.abort(new ClosedError('this process does not own the session any more'));
  }

  /** Queues `work`. */
  exclusive<Result>(work: () => Promise<Result>): Promise<Result> {
    return whileAlive(() => this.#mutex.runExclusive(work));
  }
}

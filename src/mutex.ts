import { ClosedError } from './errors.js';

/** Lets one piece of work run at a time, in the order of the calls. */
export class Mutex {
  #tail: Promise<void> = Promise.resolve();
  #pending = 0;

  /** Whether something runs or waits. */
  get busy(): boolean {
    return this.#pending > 0;
  }

  /**
   * Runs `work` once everything that was asked for before has settled; settles as it does.
   * `signal` ends the *waiting* (rejects with its reason); work that has begun gets to its own end.
   *
   * @example await mutex.runExclusive(() => save(), { signal });
   */
  async runExclusive<T>(
    work: () => T | Promise<T>,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<T> {
    const before = this.#tail;
    let leave: () => void = () => undefined;
    const done = new Promise<void>((resolve) => {
      leave = resolve;
    });
    // One who gives up waiting still passes the turn on only after those before.
    this.#tail = before.then(() => done);
    this.#pending++;
    try {
      await turn(before, options.signal);
      return await work();
    } finally {
      this.#pending--;
      leave();
    }
  }
}

/**
 * Makes concurrent calls join the one that runs: they get its promise, and nothing is done twice.
 * The call after it has settled runs afresh.
 *
 * @example const stop = joinable(() => client.destroy());
 */
export function joinable<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    if (running === undefined) {
      const mine = Promise.resolve()
        .then(work)
        .finally(() => {
          if (running === mine) running = undefined;
        });
      running = mine;
    }
    return running;
  };
}

function turn(before: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return before;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortReason(signal));
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    void before.then(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
  });
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new ClosedError('the operation was aborted');
}

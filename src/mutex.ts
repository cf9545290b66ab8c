import { abortReason } from './clock.js';

/** Lets one piece of work run at a time, in the order of the calls. */
export class Mutex {
  #tail: Promise<void> = Promise.resolve();
  #pending = 0;

  /** Whether any work runs or waits. */
  get busy(): boolean {
    return this.#pending > 0;
  }

  /**
   * Runs `work` once all earlier work has settled, and settles like `work`.
   * `signal` ends only the *waiting*, and the call rejects with its reason; work that has begun is not interrupted.
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
    // A caller that stops waiting must not let the next one start before all earlier work has settled.
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

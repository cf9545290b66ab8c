import { ClosedError } from '../errors.js';

/** A turn that is waited for. */
interface Waiting {
  readonly limit: number;
  readonly begin: () => void;
}

/**
 * Lets a bounded number of captures run at once. First come, first served: one with a lower limit than the others is
 * not overtaken for ever.
 */
export class CaptureGate {
  #running = 0;
  readonly #queue: Waiting[] = [];

  /**
   * Runs `work` once fewer than `limit` run; settles as it does. `signal` ends the *waiting* (rejects with its reason).
   *
   * @example await gate.run(() => capture(), { limit: 2, signal });
   */
  async run<T>(
    work: () => Promise<T>,
    { limit, signal }: { readonly limit: number; readonly signal: AbortSignal },
  ): Promise<T> {
    await this.#turn(limit, signal);
    try {
      return await work();
    } finally {
      this.#running--;
      this.#letIn();
    }
  }

  #turn(limit: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#queue.splice(this.#queue.indexOf(waiting), 1);
        this.#letIn(); // perhaps it stood before one that may begin
        reject(reasonOf(signal));
      };
      const waiting: Waiting = {
        limit,
        begin: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      if (signal.aborted) return reject(reasonOf(signal));
      signal.addEventListener('abort', onAbort, { once: true });
      this.#queue.push(waiting);
      this.#letIn();
    });
  }

  #letIn(): void {
    for (
      let first = this.#queue[0];
      first !== undefined && this.#running < first.limit;
      first = this.#queue[0]
    ) {
      this.#queue.shift();
      this.#running++;
      first.begin();
    }
  }
}

/** The one of this process: all its sessions share the disk, the cores and the worker thread. */
export const captureGate = new CaptureGate();

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new ClosedError('the operation was aborted');
}

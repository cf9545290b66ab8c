import type { Clock } from '../../clock.js';
import { ClosedError } from '../../errors.js';

/** A capture that hangs, on a network drive for example, must not keep the other sessions from theirs. */
const PATIENCE_MS = 60_000;

export interface TurnOptions {
  readonly limit: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

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
   * Runs `work` once fewer than `limit` run, or after a minute of waiting; settles as it does. `signal` ends the
   * *waiting* (rejects with its reason).
   *
   * @example await gate.run(() => capture(), { limit: 2, signal, clock });
   */
  async run<T>(work: () => Promise<T>, options: TurnOptions): Promise<T> {
    await this.#turn(options);
    try {
      return await work();
    } finally {
      this.#running--;
      this.#letIn();
    }
  }

  #turn({ limit, signal, clock }: TurnOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(reasonOf(signal));
      const leaveQueue = () => {
        this.#queue.splice(this.#queue.indexOf(waiting), 1);
        this.#letIn(); // perhaps it stood before one that may begin
      };
      const onAbort = () => {
        clock.clearTimeout(patience);
        leaveQueue();
        reject(reasonOf(signal));
      };
      const waiting: Waiting = {
        limit,
        begin: () => {
          clock.clearTimeout(patience);
          signal.removeEventListener('abort', onAbort);
          this.#running++;
          resolve();
        },
      };
      const patience = clock.setTimeout(() => {
        waiting.begin();
        leaveQueue();
      }, PATIENCE_MS);
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
      first.begin();
    }
  }
}

/** The one of this process: all its sessions share the disk, the cores and the worker thread. */
export const captureGate = new CaptureGate();

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new ClosedError('the operation was aborted');
}

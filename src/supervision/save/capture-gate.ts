import type { Clock } from '../../clock.js';
import { ClosedError } from '../../errors.js';

/** Longest wait for a turn, ms. A capture that hangs, for example on a network drive, must not block other sessions. */
const PATIENCE_MS = 60_000;

export interface TurnOptions {
  readonly limit: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** A capture that waits for its turn. */
interface Waiting {
  readonly limit: number;
  readonly begin: () => void;
}

/**
 * Limits how many captures run at the same time. The order is first come, first served, so that a capture with a
 * lower limit than the others does not wait for ever.
 */
export class CaptureGate {
  #running = 0;
  readonly #queue: Waiting[] = [];

  /**
   * Runs `work` once fewer than `limit` captures run, or after a minute of waiting, and settles like it. `signal`
   * ends only the *waiting* (rejects with its reason).
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
        this.#letIn(); // the next one may be able to begin
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

/** The gate of this process, since all its sessions share the disk, the cores and the worker thread. */
export const captureGate = new CaptureGate();

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new ClosedError('the operation was aborted');
}

import { type Clock, sleep } from '../../clock.js';
import type { ResolvedOptions } from '../../options.js';
import type { StartWaits } from '../../start-waits.js';
import { floorMs } from './reconnect-delay.js';

/**
 * Spaces out the starts that a bot requests after each failure; without it, a start in a listener of `failed` would
 * loop without a pause. The first start after a failure begins at once, since somebody may have fixed the cause.
 */
export class RestartPace {
  readonly #clock: Clock;
  readonly #waits: StartWaits;
  readonly #floorMs: number;
  #hasFailed = false;
  /** When the last start after a failure began, monotonic ms. */
  #startedAgainAt = Number.NEGATIVE_INFINITY;

  constructor({
    clock,
    options,
    startWaits,
  }: {
    readonly clock: Clock;
    readonly options: ResolvedOptions;
    readonly startWaits: StartWaits;
  }) {
    this.#clock = clock;
    this.#waits = startWaits;
    this.#floorMs = floorMs({ baseMs: options.reconnectDelayMs, maxMs: options.reconnectMaxDelayMs });
  }

  /** Call when a start has failed for good. */
  noteFailure(): void {
    this.#hasFailed = true;
  }

  noteUp(): void {
    this.#hasFailed = false;
  }

  /** Call before a requested start. Rejects with the signal's reason. */
  async takeTurn(signal: AbortSignal): Promise<void> {
    if (!this.#hasFailed) return;
    const leftMs = this.#startedAgainAt + this.#floorMs - this.#clock.monotonic();
    if (leftMs > 0) {
      await this.#waits.during({ kind: 'turn' }, leftMs, () => sleep(this.#clock, leftMs, signal));
    }
    this.#startedAgainAt = this.#clock.monotonic();
  }
}

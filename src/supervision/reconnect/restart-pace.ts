import { type Clock, sleep } from '../../clock.js';
import type { ResolvedOptions } from '../../options.js';
import { floorMs } from './reconnect-delay.js';

/**
 * Holds apart the starts that a bot asks for after each failure: one in a listener of `failed` would loop without a pause.
 * The first one after a failure begins at once, since somebody may have mended what was wrong.
 */
export class RestartPace {
  readonly #clock: Clock;
  readonly #floorMs: number;
  #hasFailed = false;
  /** When a start that followed a failure began last, monotonic ms. */
  #startedAgainAt = Number.NEGATIVE_INFINITY;

  constructor({ clock, options }: { readonly clock: Clock; readonly options: ResolvedOptions }) {
    this.#clock = clock;
    this.#floorMs = floorMs({ baseMs: options.reconnectDelayMs, maxMs: options.reconnectMaxDelayMs });
  }

  /** A start has ended for good without the session being up. */
  noteFailure(): void {
    this.#hasFailed = true;
  }

  noteUp(): void {
    this.#hasFailed = false;
  }

  /** Before a start that somebody asks for. Rejects with the signal's reason. */
  async takeTurn(signal: AbortSignal): Promise<void> {
    if (!this.#hasFailed) return;
    const leftMs = this.#startedAgainAt + this.#floorMs - this.#clock.monotonic();
    if (leftMs > 0) await sleep(this.#clock, leftMs, signal);
    this.#startedAgainAt = this.#clock.monotonic();
  }
}

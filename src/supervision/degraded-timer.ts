import type { TimerHandle } from '../clock.js';
import type { DisconnectCause } from '../events.js';
import type { SessionContext } from './session-context.js';

/** States that the client bears, but in which the session is deaf. */
const DEAF: Readonly<Record<string, DisconnectCause>> = { TIMEOUT: 'timeout', CONFLICT: 'conflict' };

/** Moves between `ready` and `degraded` with the page's state, and gives up on one that stays deaf too long. */
export class DegradedTimer {
  readonly #context: SessionContext;
  readonly #onDeaf: (cause: DisconnectCause) => void;
  #timer: TimerHandle | undefined;

  constructor(context: SessionContext, onDeaf: (cause: DisconnectCause) => void) {
    this.#context = context;
    this.#onDeaf = onDeaf;
  }

  /** Call with every `change_state` of the client. */
  onState(pageState: string): void {
    const { state, moveTo } = this.#context;
    const cause = DEAF[pageState];
    if (cause !== undefined && state() === 'ready' && this.#mayRecover(pageState)) {
      this.#arm(cause); // first: a listener of the change may call reconnect() at once
      moveTo('degraded', pageState);
    } else if (pageState === 'CONNECTED' && state() === 'degraded') {
      this.stop();
      moveTo('ready');
    }
  }

  stop(): void {
    this.#context.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  // Without takeover the client itself gives up on CONFLICT in the same tick: that is a loss, not a degradation.
  #mayRecover(pageState: string): boolean {
    return pageState === 'TIMEOUT' || this.#context.driver.client.options?.takeoverOnConflict === true;
  }

  #arm(cause: DisconnectCause): void {
    const { clock, options } = this.#context;
    this.stop();
    this.#timer = clock.setTimeout(() => this.#onDeaf(cause), options.sessionTimeoutMs);
  }
}

import type { TimerHandle } from '../../clock.js';
import type { DeafPageState, DisconnectCause } from '../../events.js';
import type { SessionContext } from '../context/session-context.js';

/** States that the client bears, but in which the session is deaf. */
const DEAF: Readonly<Record<DeafPageState, DisconnectCause>> = { TIMEOUT: 'timeout', CONFLICT: 'conflict' };
/** One unanswered probe may be a page that syncs; who answers none twice in a row will not answer any more. */
const MAX_UNANSWERED = 2;

/**
 * Moves between `ready` and `degraded`, with the page's state and with whether the page answers, and gives up on one
 * that stays deaf or mute too long.
 */
export class DegradedTimer {
  readonly #context: SessionContext;
  readonly #onLost: (cause: DisconnectCause) => void;
  /** Set while the page says that it is deaf. */
  #timer: TimerHandle | undefined;
  /** Timed probes in a row that the page did not answer. */
  #unanswered = 0;
  /** Timed looks in a row that found no browser. */
  #missing = 0;

  constructor(context: SessionContext, onLost: (cause: DisconnectCause) => void) {
    this.#context = context;
    this.#onLost = onLost;
  }

  /** Call with every `change_state` of the client. */
  onState(pageState: string): void {
    const { state, moveTo } = this.#context;
    if (isDeaf(pageState) && this.#isUp() && this.#timer === undefined && this.#mayRecover(pageState)) {
      this.#arm(DEAF[pageState]); // first: a listener of the change may call reconnect() at once
      if (state() === 'ready') moveTo('degraded', pageState);
    } else if (pageState === 'CONNECTED' && state() === 'degraded') {
      this.stop();
      moveTo('ready');
    }
  }

  /** Call with every probe of the page; `timed` when nobody asked for it. */
  onProbe({ answered, timed }: { readonly answered: boolean; readonly timed: boolean }): void {
    const { state, moveTo } = this.#context;
    if (!this.#isUp()) return;
    this.#missing = 0;
    if (answered) {
      this.#unanswered = 0;
      // A page that says it is deaf is the timer's matter.
      if (state() === 'degraded' && this.#timer === undefined) moveTo('ready');
      return;
    }
    // Only those that are an interval apart: somebody who asks three times in a second must not cause a reconnect.
    if (timed) this.#unanswered++;
    if (this.#unanswered >= MAX_UNANSWERED) return this.#onLost('unresponsive');
    if (state() === 'ready') moveTo('degraded', 'unresponsive');
  }

  /** Call with every look that finds no browser connected; `timed` when nobody asked for it. */
  onNoBrowser({ timed }: { readonly timed: boolean }): void {
    if (!this.#isUp() || !timed) return;
    // Its own event is the first to say so, unless the bot has taken all listeners off its browser.
    this.#missing++;
    if (this.#missing >= MAX_UNANSWERED) this.#onLost('browser-gone');
  }

  stop(): void {
    this.#missing = 0;
    this.#context.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#unanswered = 0;
  }

  #isUp(): boolean {
    return ['ready', 'degraded'].includes(this.#context.state());
  }

  // Without takeover the client itself gives up on CONFLICT in the same tick: that is a loss, not a degradation.
  #mayRecover(pageState: string): boolean {
    return pageState === 'TIMEOUT' || this.#context.driver.client.options?.takeoverOnConflict === true;
  }

  #arm(cause: DisconnectCause): void {
    const { clock, options } = this.#context;
    this.#timer = clock.setTimeout(() => this.#onLost(cause), options.sessionTimeoutMs);
  }
}

function isDeaf(pageState: string): pageState is DeafPageState {
  return Object.hasOwn(DEAF, pageState);
}

import type { TimerHandle } from '../../clock.js';
import type { DeafPageState, DisconnectCause } from '../../events.js';
import type { SessionContext } from '../context/session-context.js';

/** Page states that the client tolerates, but in which the session receives nothing. */
const DEAF: Readonly<Record<DeafPageState, DisconnectCause>> = { TIMEOUT: 'timeout', CONFLICT: 'conflict' };
/** One unanswered probe may come from a page that syncs; after two in a row the page will not answer any more. */
const MAX_UNANSWERED = 2;

/**
 * Switches between `ready` and `degraded`, by the page's state and by whether the page answers. Gives up on a page
 * that receives or answers nothing for too long.
 */
export class DegradedTimer {
  readonly #context: SessionContext;
  readonly #onLost: (cause: DisconnectCause) => void;
  /** Set while the page reports a state in which it receives nothing. */
  #timer: TimerHandle | undefined;
  /** Timed probes in a row that the page did not answer. */
  #unanswered = 0;
  /** Timed checks in a row that found no browser. */
  #missing = 0;

  constructor(context: SessionContext, { onLost }: { readonly onLost: (cause: DisconnectCause) => void }) {
    this.#context = context;
    this.#onLost = onLost;
  }

  /** Call at every `change_state` of the client. */
  onState(pageState: string): void {
    const { state, moveTo } = this.#context;
    if (isDeaf(pageState) && this.#isUp() && this.#timer === undefined && this.#mayRecover(pageState)) {
      this.#arm(DEAF[pageState]); // first, because a listener of the change may call reconnect() at once
      if (state() === 'ready') moveTo('degraded', pageState);
    } else if (pageState === 'CONNECTED' && state() === 'degraded') {
      this.stop();
      moveTo('ready');
    }
  }

  /** Call at every probe of the page; `timed` means that the timer asked for it. */
  onProbe({ answered, timed }: { readonly answered: boolean; readonly timed: boolean }): void {
    const { state, moveTo } = this.#context;
    if (!this.#isUp()) return;
    this.#missing = 0;
    if (answered) {
      this.#unanswered = 0;
      // While the page reports a degraded state, the timer decides.
      if (state() === 'degraded' && this.#timer === undefined) moveTo('ready');
      return;
    }
    // Only probes that are an interval apart count: three requests within a second must not cause a reconnect.
    if (timed) this.#unanswered++;
    if (this.#unanswered >= MAX_UNANSWERED) return this.#onLost('unresponsive');
    if (state() === 'ready') moveTo('degraded', 'unresponsive');
  }

  /** Call at every check that finds no connected browser; `timed` means that the timer asked for it. */
  onNoBrowser({ timed }: { readonly timed: boolean }): void {
    if (!this.#isUp() || !timed) return;
    // The browser's own event usually comes first, unless the bot has removed all listeners from its browser.
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

  // Without takeover, the client itself gives up on CONFLICT in the same tick. That is a loss and not a degradation.
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

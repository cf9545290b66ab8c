import type { ClientEvent } from '../../client/client-event.js';
import { startClient } from '../../client/start-client.js';
import type { StartOutcome } from '../../client/start-outcome.js';
import { WebCache } from '../../client/web-cache.js';
import type { BrowserStopper } from '../browser/browser-stopper.js';
import type { SessionContext } from '../context/session-context.js';
import { withWebCache } from './settle-web-cache.js';
import type { TableCheck } from './table-check.js';

export interface ClientStartParts {
  readonly stopper: BrowserStopper;
  readonly tableCheck: TableCheck;
  readonly subscribe: (listener: (event: ClientEvent) => void) => () => void;
  /** Moves the session on to `starting`. */
  readonly enterStarting: (signal: AbortSignal) => void;
}

/** Starts the client on the profile in place. */
export class ClientStart {
  readonly #context: SessionContext;
  readonly #parts: ClientStartParts;
  readonly #webCache: WebCache;

  constructor(context: SessionContext, parts: ClientStartParts) {
    this.#context = context;
    this.#parts = parts;
    this.#webCache = new WebCache(context.driver.client, context);
  }

  /**
   * Starts the client. While the check of the tables is running, the browser is only launched: the session still counts
   * as restoring, and the page opens when the verdict is in.
   *
   * @throws UnsoundProfileError when the tables are damaged; what else ends a start before its outcome: `signal`, a
   * browser that must not have the profile, a check that fails. A browser that was launched is then closed
   */
  async run(signal: AbortSignal): Promise<StartOutcome> {
    const { tableCheck } = this.#parts;
    try {
      const { browserGuard, assertOwned, storeOwnership } = this.#context;
      // Otherwise the profile is still the one that the browser guard has looked at.
      const refusal = tableCheck.isBegun ? undefined : await browserGuard.refusalOfProfile(signal);
      if (refusal !== undefined) throw refusal;
      await storeOwnership?.settle();
      await assertOwned();
      const isHeld = tableCheck.isRunning;
      // The page waits for the same verdict, and gets it after this.
      const entered = tableCheck.assertSound().then(() => this.#parts.enterStarting(signal));
      entered.catch(() => undefined); // told again after the launch
      if (!isHeld) await entered;
      return await this.#launch(signal, isHeld ? entered : undefined);
    } finally {
      tableCheck.end();
    }
  }

  async #launch(signal: AbortSignal, held: Promise<unknown> | undefined): Promise<StartOutcome> {
    const { driver, browserOwner, clock, options } = this.#context;
    const { stopper, subscribe } = this.#parts;
    const { sessionTimeoutMs, puppeteerTimeoutMs } = options;
    try {
      const outcome = await withWebCache(this.#webCache, this.#context, signal, async () => {
        await browserOwner.announceLaunch(driver.client);
        return startClient({ driver, clock, sessionTimeoutMs, puppeteerTimeoutMs, signal, subscribe, held });
      });
      // A launch that has failed before the verdict says nothing of a profile that must be restored first.
      await held;
      return outcome;
    } catch (error) {
      await stopper.stop();
      throw error;
    }
  }
}

import { type StopResult, stopClient } from '../../client/stop-client.js';
import { describeError } from '../../errors.js';
import type { SessionContext } from '../context/session-context.js';

/** Closes the browser for certain: in order if it can, by ending its processes if it must. Never rejects. */
export class Stopper {
  readonly #context: SessionContext;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  async stop({ logout = false } = {}): Promise<StopResult> {
    const { driver, clock, options, browserOwner, logger } = this.#context;
    try {
      return await stopClient({
        driver,
        clock,
        deadlineMs: options.puppeteerTimeoutMs,
        endBrowser: () => browserOwner.endOwn(),
        logout,
      });
    } catch (error) {
      logger.error('the browser could not be ended', { error: describeError(error) });
      return { orderly: false };
    }
  }
}

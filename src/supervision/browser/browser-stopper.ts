import type { ClientDriver } from '../../client/client-driver.js';
import { type StopResult, stopClient } from '../../client/stop-client.js';
import type { Clock } from '../../clock.js';
import { describeError } from '../../errors.js';
import type { Logger } from '../../logger.js';
import type { ResolvedOptions } from '../../options.js';
import type { BrowserOwner } from './browser-owner.js';

export interface BrowserStopperContext {
  readonly driver: ClientDriver;
  readonly clock: Clock;
  readonly options: Pick<ResolvedOptions, 'puppeteerTimeoutMs'>;
  readonly browserOwner: BrowserOwner;
  readonly logger: Logger;
}

/** Closes the browser in every case: normally if possible, otherwise by ending its processes. Never rejects. */
export class BrowserStopper {
  readonly #context: BrowserStopperContext;

  constructor(context: BrowserStopperContext) {
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

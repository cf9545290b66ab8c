import { type Clock, withDeadline } from '../clock.js';
import { isBrowserConnected, wasKilled } from './browser-handle.js';
import type { ClientDriver } from './client-driver.js';

export interface StopParameters {
  readonly driver: ClientDriver;
  readonly clock: Clock;
  /** For the orderly close. */
  readonly deadlineMs: number;
  /** Ends what is left of the browser's processes, and only those; resolves when they are gone to whether any was. */
  readonly endBrowser: () => Promise<boolean>;
  readonly logout?: boolean;
}

export interface StopResult {
  /**
   * Whether the browser closed by itself. Only then has everything reached the disk: a kill loses up to a minute of
   * Local Storage (docs/chromium-facts.md F1.5).
   */
  readonly orderly: boolean;
  /** Why the device could not be unlinked, if that was asked for. */
  readonly logoutError?: unknown;
}

/** Closes the browser in order, within a deadline, then makes sure that none of its processes is left. */
export async function stopClient(parameters: StopParameters): Promise<StopResult> {
  const { driver, clock, deadlineMs } = parameters;
  const { browser } = driver;
  const wasConnected = driver.connected;
  driver.beginClosing();
  let logoutError: unknown;
  if (parameters.logout) {
    // Client.logout() evaluates in the page, which hangs after a page crash (docs/chromium-facts.md F2.3).
    await withDeadline(clock, deadlineMs, 'client.logout()', driver.logout()).catch((error: unknown) => {
      logoutError = error;
    });
  }
  await closeInOrder(parameters);
  const isClosed = browser !== undefined && !isBrowserConnected(browser) && !wasKilled(browser);
  const hadToBeEnded = await parameters.endBrowser();
  // A start that hangs before it has a browser (puppeteer's launch has 30 s of its own) must not come up later, when
  // the next one is under way.
  await withDeadline(clock, deadlineMs, 'the end of the start', driver.launched).catch(() => undefined);
  const orderly = wasConnected && isClosed && !hadToBeEnded;
  return { orderly, ...(logoutError !== undefined && { logoutError }) };
}

/**
 * The client's own way, then the browser's where the client has left it open: its `destroy()` may fail, or find no
 * `isConnected()` and do nothing. Never rejects: what could not be closed is ended by the caller.
 */
async function closeInOrder({ driver, clock, deadlineMs }: StopParameters): Promise<void> {
  const startedAt = clock.monotonic();
  await withDeadline(clock, deadlineMs, 'client.destroy()', driver.close()).catch(() => undefined);
  const { browser } = driver;
  const leftMs = deadlineMs - (clock.monotonic() - startedAt);
  if (browser === undefined || leftMs <= 0 || !isBrowserConnected(browser)) return;
  await withDeadline(clock, leftMs, 'browser.close()', browser.close()).catch(() => undefined);
}

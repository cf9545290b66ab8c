import { type Clock, withDeadline } from '../clock.js';
import { isBrowserConnected, wasKilled } from './browser-handle.js';
import type { ClientDriver } from './client-driver.js';

export interface StopParameters {
  readonly driver: ClientDriver;
  readonly clock: Clock;
  /** Deadline for closing the browser properly, ms. */
  readonly deadlineMs: number;
  /** Ends the browser's remaining processes, and no others; once they are gone, resolves to whether there were any. */
  readonly endBrowser: () => Promise<boolean>;
  readonly logout?: boolean;
}

export interface StopResult {
  /**
   * Whether the browser closed by itself. Only then all data is on the disk: a kill loses up to a minute of Local Storage
   * (docs/chromium-facts.md F1.5).
   */
  readonly orderly: boolean;
  /** Set when a requested logout could not unlink the device; the error may be any value, even `undefined`. */
  readonly logoutFailure?: { readonly error: unknown };
}

/** Closes the browser properly within a deadline, and then ends all of its remaining processes. */
export async function stopClient(parameters: StopParameters): Promise<StopResult> {
  const { driver, clock, deadlineMs } = parameters;
  const { browser } = driver;
  const wasConnected = driver.connected;
  driver.beginClosing();
  let logoutFailure: StopResult['logoutFailure'];
  if (parameters.logout) {
    // Client.logout() runs code in the page, which hangs after a page crash (docs/chromium-facts.md F2.3).
    await withDeadline(clock, deadlineMs, 'client.logout()', driver.logout()).catch((error: unknown) => {
      logoutFailure = { error };
    });
  }
  await closeInOrder(parameters);
  const isClosed = browser !== undefined && !isBrowserConnected(browser) && !wasKilled(browser);
  const hadToBeEnded = await parameters.endBrowser();
  // If a start hangs before it has a browser (puppeteer's launch may take 30 s), its browser must not appear later, while
  // the next start is running.
  await withDeadline(clock, deadlineMs, 'the end of the start', driver.launched).catch(() => undefined);
  const orderly = wasConnected && isClosed && !hadToBeEnded;
  return { orderly, ...(logoutFailure && { logoutFailure }) };
}

/**
 * Closes the browser by the client's own method, and directly if it is then still open: the client's `destroy()` may fail,
 * or do nothing because there is no `isConnected()`. Never rejects: the caller ends a browser that could not be closed.
 */
async function closeInOrder({ driver, clock, deadlineMs }: StopParameters): Promise<void> {
  const startedAt = clock.monotonic();
  await withDeadline(clock, deadlineMs, 'client.destroy()', driver.close()).catch(() => undefined);
  const { browser } = driver;
  const leftMs = deadlineMs - (clock.monotonic() - startedAt);
  if (browser === undefined || leftMs <= 0 || !isBrowserConnected(browser)) return;
  await withDeadline(clock, leftMs, 'browser.close()', browser.close()).catch(() => undefined);
}

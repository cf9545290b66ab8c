import { type Clock, withDeadline } from '../clock.js';
import type { ClientDriver } from './client-driver.js';

export interface StopParameters {
  readonly driver: ClientDriver;
  readonly clock: Clock;
  /** For the orderly close. */
  readonly deadlineMs: number;
  /** Ends what is left of the browser's processes, and only those; resolves when they are gone. */
  readonly endBrowser: () => Promise<void>;
  readonly logout?: boolean;
}

export interface StopResult {
  /**
   * Whether the browser closed by itself: only then has everything reached the disk (a kill loses up to a minute
   * of Local Storage, FACTS 1.5).
   */
  readonly orderly: boolean;
  /** Why the device could not be unlinked, if that was asked for. */
  readonly logoutError?: unknown;
}

/** Closes the browser in order, within a deadline, then makes sure that none of its processes is left. */
export async function stopClient(parameters: StopParameters): Promise<StopResult> {
  const { driver, clock, deadlineMs } = parameters;
  const wasConnected = driver.connected;
  driver.beginClosing();
  let closed = false;
  let logoutError: unknown;
  try {
    if (parameters.logout) {
      // Client.logout() evaluates in the page, which hangs after a page crash (FACTS 2.3).
      await withDeadline(clock, deadlineMs, 'client.logout()', driver.logout()).catch((error: unknown) => {
        logoutError = error;
      });
    }
    await withDeadline(clock, deadlineMs, 'client.destroy()', driver.close());
    closed = true;
  } catch {
    // What could not be closed is ended below.
  }
  await parameters.endBrowser();
  // A start that hangs before it has a browser (puppeteer's launch has 30 s of its own) must not come up later, when
  // the next one is under way.
  await withDeadline(clock, deadlineMs, 'the end of the start', driver.launched).catch(() => undefined);
  return { orderly: closed && wasConnected, ...(logoutError !== undefined && { logoutError }) };
}

import type { BrowserHandle } from './client-types.js';

/** Whether the connection to the browser is alive; works with every version of puppeteer. */
export function isBrowserConnected(browser: BrowserHandle): boolean {
  if (typeof browser.connected === 'boolean') return browser.connected;
  if (typeof browser.isConnected === 'function') return browser.isConnected();
  const running = browser.process?.();
  return running !== undefined && running !== null && !hasEnded(running);
}

/**
 * Adds `isConnected()` to a browser of puppeteer 25, which has no such method any more. `client.destroy()` and
 * `client.logout()` call it (Client.js): without it `destroy()` does nothing, and `logout()` rejects after it has unlinked
 * the device.
 */
export function addIsConnected(browser: BrowserHandle): void {
  if (typeof browser.isConnected === 'function' || typeof browser.connected !== 'boolean') return;
  Object.defineProperty(browser, 'isConnected', {
    configurable: true,
    value: () => browser.connected === true,
  });
}

/** Whether a signal ended the browser's process; puppeteer kills a browser that does not close by itself. */
export function wasKilled(browser: BrowserHandle): boolean {
  const signal = browser.process?.()?.signalCode;
  return signal !== undefined && signal !== null;
}

function hasEnded(running: NonNullable<ReturnType<NonNullable<BrowserHandle['process']>>>): boolean {
  return (running.exitCode ?? null) !== null || (running.signalCode ?? null) !== null;
}

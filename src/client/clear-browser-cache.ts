import { type Clock, withDeadline } from '../clock.js';
import type { ClientDriver } from './client-driver.js';
import type { PageHandle } from './client-types.js';

/**
 * Asks the running browser to empty its HTTP cache, because the files can't be deleted while it runs. The page and the data
 * of WhatsApp Web (databases, storage, service worker) are not changed. Resolves to whether it was done; never rejects.
 */
export async function clearBrowserCache(
  driver: ClientDriver,
  clock: Clock,
  deadlineMs: number,
): Promise<boolean> {
  const page = driver.page;
  if (!page?.createCDPSession || !driver.connected) return false;
  return withDeadline(clock, deadlineMs, "clearing the browser's cache", clear(page)).catch(() => false);
}

async function clear(page: PageHandle): Promise<boolean> {
  const session = await page.createCDPSession?.();
  if (!session) return false;
  try {
    await session.send('Network.clearBrowserCache');
    return true;
  } finally {
    await session.detach().catch(() => undefined); // fails if the page is gone
  }
}

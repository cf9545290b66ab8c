import { type Clock, withDeadline } from '../clock.js';
import type { ClientDriver } from './client-driver.js';

/** The page's state when its QR has expired and it waits for somebody to ask for a new one (WAState). */
export const QR_EXPIRED = 'UNPAIRED_IDLE';

/** What asks WhatsApp Web for a new QR: what whatsapp-web.js means to call (Client.js, onAuthAppStateChangedEvent), and what it calls in `cancelPairingCode()`. */
const WAYS = [
  "() => window.require('WAWebCmd').Cmd.refreshQR()",
  "() => window.require('WAWebLaunchSocketUtils').refreshQR()",
  '() => window.AuthStore.Cmd.refreshQR()',
];

/**
 * Asks the page for a new QR, which the client then tells of as of any. Its own call of the same runs in node, where
 * there is no page, and fails (whatsapp-web.js up to 1.34.7). Never rejects; resolves to whether the page took it.
 *
 * @param attempt counts the calls in vain: each begins with another way
 */
export async function refreshQr(
  driver: ClientDriver,
  {
    clock,
    deadlineMs,
    attempt,
  }: { readonly clock: Clock; readonly deadlineMs: number; readonly attempt: number },
): Promise<boolean> {
  const { page } = driver;
  if (!page || driver.isClosing) return false;
  const first = attempt % WAYS.length;
  const ways = [...WAYS.slice(first), ...WAYS.slice(0, first)].join(', ');
  // The page's own promise is not waited for: whether a new QR comes is what counts.
  const script = `(() => {
    for (const way of [${ways}]) {
      try { const asked = way(); asked?.catch?.(() => undefined); return true; } catch {}
    }
    return false;
  })()`;
  const asking = withDeadline(clock, deadlineMs, 'asking for a new QR', page.evaluate(script));
  return (await asking.catch(() => false)) === true;
}

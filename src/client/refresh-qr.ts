import { type Clock, withDeadline } from '../clock.js';
import type { ClientDriver } from './client-driver.js';

/** The page's state (WAState) when its QR has expired, until somebody asks for a new one. */
export const QR_EXPIRED = 'UNPAIRED_IDLE';

/**
 * Ways to ask WhatsApp Web for a new QR: the function that whatsapp-web.js intends to call (Client.js,
 * onAuthAppStateChangedEvent), and the one that it calls in `cancelPairingCode()`.
 */
const WAYS = [
  "() => window.require('WAWebCmd').Cmd.refreshQR()",
  "() => window.require('WAWebLaunchSocketUtils').refreshQR()",
  '() => window.AuthStore.Cmd.refreshQR()',
];

/**
 * Asks the page for a new QR, for which the client then emits `qr` as usual. whatsapp-web.js (up to 1.34.7) tries the same,
 * but its call runs in node instead of the page, and fails. Never rejects; resolves to whether the page accepted the call.
 *
 * @param attempt number of earlier calls without success; each call begins with another way
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
  // The script does not wait for the page's own promise: only a new QR shows the success.
  const script = `(() => {
    for (const way of [${ways}]) {
      try { const asked = way(); asked?.catch?.(() => undefined); return true; } catch {}
    }
    return false;
  })()`;
  const asking = withDeadline(clock, deadlineMs, 'asking for a new QR', page.evaluate(script));
  return (await asking.catch(() => false)) === true;
}

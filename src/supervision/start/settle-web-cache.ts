import type { WebCache } from '../../client/web-cache.js';
import type { SessionContext } from '../context/session-context.js';

/** Before a start: switches off a web cache that would keep the client from ever being ready, and says so. */
export async function settleWebCache(
  webCache: WebCache,
  { warn }: Pick<SessionContext, 'warn'>,
): Promise<void> {
  const found = await webCache.settle();
  if (found === undefined) return;
  const { folder, why } = found;
  warn(
    'web-cache-unwritable',
    `whatsapp-web.js can't keep WhatsApp's page in ${folder} (${why}), so it starts without its web cache: otherwise ` +
      "`ready` would never come. Make the folder writable, or set the client's webVersionCache",
  );
}

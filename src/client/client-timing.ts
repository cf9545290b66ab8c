import type { ClientDriver } from './client-driver.js';
import { isNavigationRace } from './navigation-race.js';

/**
 * Settles as the plain client's `initialize()` would, so that bots written for it work unchanged: resolves as soon as
 * the client's own start has (a `ready` listener that is added after it must not come too late), and rejects with its
 * error as soon as it does (`net::ERR_...` where WhatsApp can't be reached), while the session goes on by its own
 * policy. What the session closed itself, or repeats at once, is waited out.
 *
 * @param session the session's own start: decides where there is no start of the client at all
 */
export function withClientTiming(driver: ClientDriver, session: Promise<void>): Promise<void> {
  let unsubscribe: () => void = () => undefined;
  const settled = new Promise<void>((resolve, reject) => {
    unsubscribe = driver.onLaunch((launched) => {
      launched.then(
        () => resolve(),
        (error: unknown) => {
          if (!driver.isClosing && !isNavigationRace(error)) reject(error);
        },
      );
    });
    session.then(resolve, reject);
  });
  // Nobody has to listen: bots call it without awaiting it, and the session goes on. A bot that calls it again and
  // again during an outage leaves nothing behind.
  settled.catch(() => undefined).finally(() => unsubscribe());
  return settled;
}

import type { ClientDriver } from './client-driver.js';
import { heardPromise } from './heard-promise.js';
import { isNavigationRace } from './navigation-race.js';

export interface SessionStart {
  /**
   * Starts or joins the session; decides where there is no start of the client at all.
   *
   * @param hears whether a failure of the session would reach somebody through what the bot was given
   */
  readonly start: (hears: () => boolean) => Promise<void>;
  /** Whether the session has failed by this error and does not go on by itself; not where somebody has ended it. */
  readonly isFinal: (error: unknown) => boolean;
}

/**
 * Settles as the plain client's `initialize()` would, so that bots written for it work unchanged: resolves as soon as
 * the client's own start has (a `ready` listener that is added after it must not come too late), and rejects with its
 * error as soon as it does (`net::ERR_...` where WhatsApp can't be reached), while the session goes on by its own
 * policy. What the session closed itself, or repeats at once, is waited out.
 *
 * Nobody has to listen to it while the session goes on. Where the session fails for good, a rejection that nobody
 * handles is node's matter, as it is with the plain client: it ends the process and says why.
 */
export function withClientTiming(driver: ClientDriver, { start, isFinal }: SessionStart): Promise<void> {
  let resolve: () => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const { promise, isHeard, mute } = heardPromise((...settlers) => {
    [resolve, reject] = settlers;
  });
  let outcome: 'pending' | 'resolved' | 'rejected' = 'pending';
  const settle = (how: 'resolved' | 'rejected', error?: unknown) => {
    if (outcome !== 'pending') return;
    outcome = how;
    unsubscribe(); // a bot that calls it again and again during an outage leaves nothing behind
    if (how === 'resolved') resolve();
    else reject(error);
  };
  const unsubscribe = driver.onLaunch((launched) => {
    launched.then(
      () => settle('resolved'),
      (error: unknown) => {
        if (outcome !== 'pending' || driver.isClosing || isNavigationRace(error)) return;
        mute(); // the session may go on
        settle('rejected', error);
      },
    );
  });
  const hears = () => outcome === 'pending' || (outcome === 'rejected' && !isHeard());
  start(hears).then(
    () => settle('resolved'),
    (error: unknown) => {
      if (!isFinal(error)) mute();
      else if (outcome === 'rejected' && !isHeard()) Promise.reject(error); // in place of the one that is muted
      settle('rejected', error);
    },
  );
  return promise;
}

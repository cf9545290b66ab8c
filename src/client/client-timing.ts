import type { ClientDriver } from './client-driver.js';
import { heardPromise } from './heard-promise.js';
import { isNavigationRace } from './navigation-race.js';

export interface SessionStart {
  /**
   * Starts or joins the session. Its result is used if the client itself is not started at all.
   *
   * @param hears whether the bot would learn of a failure of the session from the promise that it was given
   */
  readonly start: (hears: () => boolean) => Promise<void>;
  /** Called when the promise rejects while the session goes on. `isHeard`: whether the bot has learned of that. */
  readonly onRejected?: (isHeard: () => boolean) => void;
  /** Whether the session has failed with this error and will not retry; false when a call has ended the session. */
  readonly isFinal: (error: unknown) => boolean;
}

/**
 * Returns a promise that settles like that of the plain client's `initialize()`, so that bots written for it work
 * unchanged. It resolves as soon as the client's own start resolves, so that a `ready` listener that is added afterwards is
 * not too late. It rejects with the error of the client's own start as soon as that rejects (`net::ERR_...` if WhatsApp
 * can't be reached), while the session retries by its own policy. A start that the session itself closed, or that it
 * repeats at once, does not settle it.
 *
 * A rejection that nobody handles is ignored while the session goes on. If the session finally fails, an unhandled
 * rejection ends the process with its error, as with the plain client.
 */
export function withClientTiming(
  driver: ClientDriver,
  { start, onRejected, isFinal }: SessionStart,
): Promise<void> {
  let resolve: () => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const { promise, isHeard, mute } = heardPromise((...settlers) => {
    [resolve, reject] = settlers;
  });
  let outcome: 'pending' | 'resolved' | 'rejected' = 'pending';
  const settle = (how: 'resolved' | 'rejected', error?: unknown) => {
    if (outcome !== 'pending') return;
    outcome = how;
    unsubscribe(); // a bot that calls it repeatedly during an outage must not collect listeners
    if (how === 'resolved') resolve();
    else reject(error);
  };
  const unsubscribe = driver.onLaunch((launched) => {
    launched.then(
      () => settle('resolved'),
      (error: unknown) => {
        if (outcome !== 'pending' || driver.isClosing || isNavigationRace(error)) return;
        mute(); // the session may still go on
        settle('rejected', error);
        onRejected?.(isHeard);
      },
    );
  });
  const hears = () => outcome === 'pending' || (outcome === 'rejected' && !isHeard());
  start(hears).then(
    () => settle('resolved'),
    (error: unknown) => {
      if (!isFinal(error)) mute();
      else if (outcome === 'rejected' && !isHeard()) Promise.reject(error); // replaces the muted rejection
      settle('rejected', error);
    },
  );
  return promise;
}

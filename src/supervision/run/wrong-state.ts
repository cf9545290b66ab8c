import { InvalidStateError } from '../../errors.js';
import { isUp, type SessionState } from '../../state.js';

/**
 * Checks that a device can be unlinked, which only an open, logged-in page can do.
 *
 * @param call the call that unlinks it
 * @throws InvalidStateError
 */
export function assertUp(state: SessionState, call: string): void {
  if (isUp(state)) return;
  throw new InvalidStateError(`${call} needs a session that is ready; it is ${state}`, {
    operation: 'logout',
  });
}

/** The error of a `reconnect()` before the first `initialize()`, or after a stop. */
export function nothingToReconnect(state: SessionState): InvalidStateError {
  return new InvalidStateError(
    `reconnect() needs a session that was initialised; it is ${state}. Call initialize() instead.`,
    { operation: 'reconnect' },
  );
}

import { isPassingFault } from '../../busy.js';
import { isSessionError } from '../../errors.js';
import type { DisconnectCause } from '../../events.js';

/** How a session or a start ended, as far as the next attempt depends on it. */
export interface Setback {
  readonly cause: DisconnectCause;
  /** Whether a server must answer first: a store that may hold the login, or the server of a strict web cache. */
  readonly awaitsServer?: boolean;
  /** Whether this machine must first give something: a disk that answers, room on it, memory. */
  readonly awaitsMachine?: boolean;
}

/** Whether to wait it out, however long it takes, without counting an attempt. */
export function isOutage({ cause, awaitsServer = false, awaitsMachine = false }: Setback): boolean {
  return cause === 'network-down' || awaitsServer || awaitsMachine;
}

/** Whether a start could not even begin for want of room, or because its disk is slow or fails for a moment: that passes. */
export function isShort(error: unknown): boolean {
  if (isSessionError(error) && error.code === 'CONFIGURATION') return false;
  return isPassingFault(error) || (isSessionError(error) && error.code === 'TIMEOUT');
}

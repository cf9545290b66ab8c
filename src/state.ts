import { SessionError } from './errors.js';

/** Where a session stands. */
export type SessionState =
  | 'idle'
  | 'restoring'
  | 'starting'
  | 'awaiting_qr'
  | 'authenticated'
  | 'ready'
  | 'degraded'
  | 'reconnecting'
  | 'stopping'
  | 'stopped'
  | 'failed';

/**
 * The one table of legal transitions.
 *
 * - `idle`: new or cleared
 * - `restoring`: checking and perhaps replacing the profile
 * - `starting`: the client is starting
 * - `awaiting_qr`: a QR or a pairing code was delivered to the bot
 * - `authenticated`: logged in, syncing
 * - `ready`: works
 * - `degraded`: still open, but deaf (TIMEOUT, CONFLICT under takeover) or its page does not answer
 * - `reconnecting`: from a loss to the next `ready`, waits included
 * - `stopping`, `stopped`
 * - `failed`: attempts used up, everything kept
 */
export const TRANSITIONS: Readonly<Record<SessionState, readonly SessionState[]>> = {
  idle: ['restoring', 'stopping'],
  restoring: ['starting', 'reconnecting', 'stopping', 'stopped', 'failed', 'idle'],
  starting: ['awaiting_qr', 'authenticated', 'ready', 'restoring', 'reconnecting', 'stopping', 'failed'],
  awaiting_qr: ['authenticated', 'ready', 'starting', 'restoring', 'reconnecting', 'stopping', 'failed'],
  authenticated: ['ready', 'awaiting_qr', 'restoring', 'reconnecting', 'stopping', 'failed'],
  ready: ['degraded', 'reconnecting', 'restoring', 'stopping'],
  degraded: ['ready', 'reconnecting', 'restoring', 'stopping'],
  reconnecting: ['ready', 'awaiting_qr', 'restoring', 'stopping', 'failed'],
  stopping: ['stopped', 'idle'],
  stopped: ['restoring', 'stopping', 'idle'],
  failed: ['restoring', 'reconnecting', 'stopping', 'idle'],
};

/** Whether the table allows `from` -> `to`. */
export function canTransition(from: SessionState, to: SessionState): boolean {
  return TRANSITIONS[from].includes(to);
}

/** Throws when the table does not allow `from` -> `to`: such a transition is a bug of this library. */
export function assertTransition(from: SessionState, to: SessionState): void {
  if (!canTransition(from, to)) {
    throw new SessionError('INTERNAL', `illegal transition ${from} -> ${to}; please report this bug`);
  }
}

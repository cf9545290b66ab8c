import { SessionError } from './errors.js';

/**
 * The state of a session:
 * - `idle`: new or cleared
 * - `restoring`: checking and perhaps replacing the profile
 * - `starting`: the client is starting
 * - `awaiting_qr`: a QR or a pairing code was delivered to the bot
 * - `authenticated`: logged in and syncing
 * - `ready`: working
 * - `degraded`: still open, but it receives nothing (TIMEOUT, CONFLICT under takeover) or its page does not answer
 * - `reconnecting`: from a loss to the next `ready`, including the waits
 * - `stopping`, `stopped`
 * - `failed`: all attempts are used up; all data is kept
 */
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

/** The legal transitions from each state. */
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

/** Whether {@link TRANSITIONS} allows `from` -> `to`. */
export function canTransition(from: SessionState, to: SessionState): boolean {
  return TRANSITIONS[from].includes(to);
}

/** Throws when {@link TRANSITIONS} does not allow `from` -> `to`: such a transition is a bug of this library. */
export function assertTransition(from: SessionState, to: SessionState): void {
  if (!canTransition(from, to)) {
    throw new SessionError('INTERNAL', `illegal transition ${from} -> ${to}; please report this bug`);
  }
}

/** Whether a session in this state has a logged-in browser. */
export function isUp(state: SessionState): boolean {
  return state === 'ready' || state === 'degraded';
}

import type { SessionEventName } from '../events.js';
import { isObject, refuse, show } from '../options/checks.js';
import type { PersistentSession } from '../persistent-session.js';

/** The members of a session that the handler needs. A `PersistentSession` has them; so has a fake in a test. */
export type SessionLike = Pick<
  PersistentSession,
  | 'backup'
  | 'checkHealth'
  | 'clear'
  | 'destroy'
  | 'forceSave'
  | 'initialize'
  | 'listSnapshots'
  | 'openBackup'
  | 'pairing'
  | 'prune'
  | 'reconnect'
  | 'restore'
  | 'sendTestMessage'
  | 'state'
  | 'status'
  | 'verify'
> & {
  /** The bot's client, which emits the QR and pairing codes. */
  readonly client: Listenable;
  on(event: SessionEventName, listener: (payload: unknown) => void): unknown;
  off(event: SessionEventName, listener: (payload: unknown) => void): unknown;
};

interface Listenable {
  on(event: string, listener: (...payload: unknown[]) => void): unknown;
  off?(event: string, listener: (...payload: unknown[]) => void): unknown;
}

/**
 * Refuses a client that is passed instead of its session, the most likely mistake because both have `on`.
 *
 * @throws ConfigurationError
 */
export function assertSession(session: unknown): void {
  const given = isObject(session) ? session : {};
  const missing = ['status', 'checkHealth', 'forceSave', 'on'].filter(
    (name) => typeof given[name] !== 'function',
  );
  if (missing.length === 0 && isObject(given.client)) return;
  const isClient = typeof given.getState === 'function' && typeof given.sendMessage === 'function';
  const what = isClient ? 'a client' : isObject(session) ? 'something else' : show(session);
  refuse('session', what, 'the PersistentSession: new PersistentSession(client)');
}

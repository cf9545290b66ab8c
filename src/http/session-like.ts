import type { SessionEventName } from '../events.js';
import { isObject, refuse, show } from '../options/checks.js';
import type { PersistentSession } from '../persistent-session.js';

/** What the HTTP side needs of a session. A `PersistentSession` fits; so does a fake in a test. */
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
  /** The bot's client: QR and pairing codes are heard there. */
  readonly client: Listenable;
  on(event: SessionEventName, listener: (payload: unknown) => void): unknown;
  off(event: SessionEventName, listener: (payload: unknown) => void): unknown;
};

interface Listenable {
  on(event: string, listener: (payload: unknown) => void): unknown;
  off?(event: string, listener: (payload: unknown) => void): unknown;
}

/** The client instead of its session is the likeliest mistake: both are at hand, and both have `on`. @throws ConfigurationError */
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

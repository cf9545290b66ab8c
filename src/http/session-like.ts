import type { SessionEventName } from '../events.js';
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

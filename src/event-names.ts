import type { SessionEventName } from './events.js';

/** Every event of the session. The compiler reports an event that is missing here. */
const SESSION_EVENTS: Readonly<Record<SessionEventName, true>> = {
  'state:changed': true,
  'save:completed': true,
  'save:failed': true,
  'save:skipped': true,
  'backup:completed': true,
  'backup:failed': true,
  'backup:skipped': true,
  'restore:started': true,
  'restore:completed': true,
  'restore:failed': true,
  'corruption:detected': true,
  'reconnect:scheduled': true,
  'reconnect:attempted': true,
  'reconnect:succeeded': true,
  'reconnect:exhausted': true,
  'health:checked': true,
  'health:changed': true,
  'session:revoked': true,
  'session:quarantined': true,
  'session:imported': true,
  'session:cleared': true,
  'profile:pruned': true,
  'snapshots:pruned': true,
  'lease:acquired': true,
  'lease:lost': true,
  warning: true,
};

export const SESSION_EVENT_NAMES = Object.keys(SESSION_EVENTS) as readonly SessionEventName[];

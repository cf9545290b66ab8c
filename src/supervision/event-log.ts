import type { SessionEventName, SessionEventPayloads } from '../events.js';
import type { Logger } from '../logger.js';
import type { SnapshotInfo } from '../types.js';

/** Limit for the findings in one line. */
const MAX_FINDINGS = 3;

type Line = readonly [level: keyof Logger, message: string, fields: object];

/**
 * The log line for each event; `undefined` for an event that is no news. The compiler reports an event without an
 * entry. Good outcomes are `info`, what somebody should look at is `warn`, and what does not recover without help is
 * `error`.
 */
const LINES: {
  readonly [Name in SessionEventName]: (payload: SessionEventPayloads[Name]) => Line | undefined;
} = {
  'state:changed': ({ to, ...fields }) => [
    ['degraded', 'reconnecting', 'failed'].includes(to) ? 'warn' : 'info',
    `the session is ${to}`,
    fields,
  ],
  'save:completed': (taken) => ['info', 'a save was taken', copyFields(taken)],
  'save:failed': (failed) => [levelOf(failed), 'a save has failed', failed],
  'save:skipped': (skipped) => [levelOf(skipped), 'a save was skipped', skipped],
  'backup:completed': (taken) => ['info', 'a backup was taken', copyFields(taken)],
  'backup:failed': (failed) => [levelOf(failed), 'a backup has failed', failed],
  'backup:skipped': (skipped) => [levelOf(skipped), 'a backup was skipped', skipped],
  'restore:started': ({ snapshot, reason }) => [
    'info',
    'a snapshot is being restored',
    { reason, ...placeOf(snapshot) },
  ],
  'restore:completed': ({ snapshot, ...fields }) => [
    'info',
    'a snapshot was restored',
    { ...placeOf(snapshot), ...fields },
  ],
  'restore:failed': ({ error, snapshot }) => [
    'error',
    'a restore has failed',
    { error, ...placeOf(snapshot) },
  ],
  'corruption:detected': ({ where, snapshot, findings }) => [
    'error',
    `the ${where} is damaged`,
    { ...placeOf(snapshot), findings: findings.slice(0, MAX_FINDINGS) },
  ],
  'reconnect:scheduled': (fields) => ['warn', 'the session is started again soon', fields],
  'reconnect:attempted': (fields) => ['info', 'the session is being started again', fields],
  'reconnect:succeeded': (fields) => ['info', 'the session has come up again', fields],
  // The error event that follows has the reason in full and its own line.
  'reconnect:exhausted': (fields) => ['warn', 'the attempts to come up again are used up', fields],
  // This event comes every 15 s, and a change has its own event.
  'health:checked': () => undefined,
  'health:changed': ({ from, to, report: { score, issues } }) => [
    to === 'healthy' ? 'info' : 'warn',
    `the health is ${to}`,
    { from, score, issues: issues.map(({ code, message }) => ({ code, message: message.en })) },
  ],
  'session:revoked': (fields) => ['warn', 'the login has ended: the device was unlinked', fields],
  'session:quarantined': (fields) => ['warn', 'a profile was put aside', fields],
  'session:imported': ({ from, snapshot }) => [
    'info',
    'the login of another system was taken over',
    { from, ...placeOf(snapshot) },
  ],
  'session:cleared': (fields) => ['info', 'the login and its snapshots were deleted', fields],
  'profile:pruned': (fields) => ['info', 'caches of the profile were removed', fields],
  'snapshots:pruned': (fields) => ['debug', 'old snapshots were removed', fields],
  'lease:acquired': (fields) => ['info', 'this process owns the session', fields],
  'lease:lost': (fields) => ['error', 'this process owns the session no more', fields],
  warning: ({ code, message }) => [code === 'started-early' ? 'error' : 'warn', message, { code }],
};

/**
 * Writes the session's events to its logger. It is the only place that does so, and therefore no event is forgotten.
 */
export class EventLog {
  readonly #logger: Logger;
  readonly #clientId: string;

  constructor({ logger, clientId }: { readonly logger: Logger; readonly clientId: string }) {
    this.#logger = logger;
    this.#clientId = clientId;
  }

  /** Call with every event of the session. */
  note<Name extends SessionEventName>(name: Name, payload: SessionEventPayloads[Name]): void {
    const line = LINES[name](payload);
    if (line === undefined) return;
    const [level, message, fields] = line;
    this.#logger[level](message, { clientId: this.#clientId, ...fields });
  }
}

/** An unchanged profile, or a copy that was ended by a stop, needs no attention. */
function levelOf(
  copy: SessionEventPayloads['save:failed'] | SessionEventPayloads['save:skipped'],
): keyof Logger {
  if ('reason' in copy) return ['unchanged', 'not-ready'].includes(copy.reason) ? 'debug' : 'warn';
  return copy.error.code === 'CLOSED' ? 'info' : 'error';
}

function copyFields({ snapshot, durationMs, bytesWritten }: SessionEventPayloads['save:completed']): Line[2] {
  return { ...placeOf(snapshot), durationMs, bytesWritten };
}

function placeOf(snapshot: SnapshotInfo | undefined): Line[2] {
  return snapshot === undefined ? {} : { snapshot: snapshot.id, store: snapshot.store };
}

import type { Clock } from '../clock.js';
import type { EventError, SessionEventName, SessionEventPayloads } from '../events.js';
import { LogThrottle } from '../log-throttle.js';
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
  'reconnect:succeeded': (fields) => ['info', 'the session is connected again', fields],
  // The error event that follows has the reason in full and its own line.
  'reconnect:exhausted': (fields) => ['warn', 'all reconnect attempts have failed', fields],
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
    'the login of another system was imported',
    { from, ...placeOf(snapshot) },
  ],
  'session:cleared': (fields) => ['info', 'the login and its snapshots were deleted', fields],
  'profile:pruned': (fields) => ['info', 'caches of the profile were removed', fields],
  'snapshots:pruned': (fields) => ['debug', 'old snapshots were removed', fields],
  'lease:acquired': (fields) => ['info', 'this process owns the session', fields],
  'lease:lost': (fields) => ['error', 'this process no longer owns the session', fields],
  warning: ({ code, message }) => [code === 'started-early' ? 'error' : 'warn', message, { code }],
};

/**
 * What makes two events of one name the same news, for events that repeat for as long as something is wrong. All other
 * events are always logged.
 */
const SAME_NEWS: { readonly [Name in SessionEventName]?: (payload: SessionEventPayloads[Name]) => unknown } =
  {
    'save:failed': ({ error, stores }) => [withoutFigures(error), stores],
    'save:skipped': ({ reason, error, stores }) => [reason, error && withoutFigures(error), stores],
    'backup:failed': ({ error, stores }) => [withoutFigures(error), stores],
    'backup:skipped': ({ reason, error, stores }) => [reason, error && withoutFigures(error), stores],
    'restore:failed': ({ error, snapshot }) => [error, snapshot?.id],
    'corruption:detected': ({ where, snapshot, findings }) => [where, snapshot?.id, findings],
    'reconnect:scheduled': ({ attempt, cause, error }) => [attempt, cause, error],
    'reconnect:attempted': ({ attempt, cause }) => [attempt, cause],
    warning: (told) => told,
  };

/**
 * Writes the session's events to its logger. It is the only place that does so, and therefore no event is forgotten.
 * What repeats while something is wrong is written once, and then every 10 min at most.
 */
export class EventLog {
  readonly #logger: Logger;
  readonly #clientId: string;
  readonly #throttle: LogThrottle;

  constructor({
    logger,
    clientId,
    clock,
  }: {
    readonly logger: Logger;
    readonly clientId: string;
    readonly clock: Clock;
  }) {
    this.#logger = logger;
    this.#clientId = clientId;
    this.#throttle = new LogThrottle(clock);
  }

  /** Call with every event of the session. */
  note<Name extends SessionEventName>(name: Name, payload: SessionEventPayloads[Name]): void {
    const line = LINES[name](payload);
    if (line === undefined) return;
    this.#forgetWhatIsOver(name, payload);
    const told = this.#isNews(name, payload);
    if (told === undefined) return;
    const [level, message, fields] = line;
    const leftOut = told.leftOut > 0 && { leftOut: told.leftOut };
    this.#logger[level](message, { clientId: this.#clientId, ...fields, ...leftOut });
  }

  #isNews<Name extends SessionEventName>(
    name: Name,
    payload: SessionEventPayloads[Name],
  ): { readonly leftOut: number } | undefined {
    const same = SAME_NEWS[name];
    if (same === undefined) return { leftOut: 0 };
    return this.#throttle.next(`${name} ${JSON.stringify(same(payload))}`);
  }

  #forgetWhatIsOver<Name extends SessionEventName>(name: Name, payload: SessionEventPayloads[Name]): void {
    const isUpToDate = 'reason' in payload && payload.reason === 'unchanged';
    const [kind = ''] = name.split(':');
    if (name === 'state:changed') this.#throttle.forget(() => true);
    else if (name.endsWith(':completed') || isUpToDate) {
      this.#throttle.forget((key) => key.startsWith(`${kind}:failed `) || isSkip(kind, key));
    }
  }
}

/** A copy that was skipped because nothing has changed is no end of its own repetition. */
function isSkip(kind: string, key: string): boolean {
  return key.startsWith(`${kind}:skipped `) && !key.startsWith(`${kind}:skipped ["unchanged"`);
}

/** The error without its figures, which may change each time, such as the free room of a disk. */
function withoutFigures({ code, message }: EventError): EventError {
  return { code, message: message.replace(/\d+(?:[.,]\d+)*/g, '#') };
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

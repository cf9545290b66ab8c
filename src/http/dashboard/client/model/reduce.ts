import type { HealthReport } from '../../../../health.js';
import type { Job } from '../../../contract.js';
import { applyEvent } from './apply-event.js';
import {
  type Change,
  type DashboardState,
  type LogEntry,
  type Notice,
  type Outcome,
  pointOf,
  type StreamEvent,
} from './state.js';

export const MAX_LOG = 100;
const MAX_HISTORY = 240;
const MAX_NOTICES = 3;

type ChangeOf<Type extends Change['type']> = Extract<Change, { readonly type: Type }>;

/** The state of the page after `change`. A pure function. */
export function reduce(state: DashboardState, change: Change): DashboardState {
  switch (change.type) {
    case 'status-read':
      return withStatus(state, change);
    case 'status-failed':
      return { ...state, problem: change.error };
    case 'link':
      return withLink(state, change);
    case 'event':
      return withEvent(state, change.event, change.at);
    case 'pressed':
      return { ...state, pending: { ...state.pending, [change.key]: { action: change.action } } };
    case 'accepted':
      return accepted(state, change);
    case 'ended':
      return ended(state, change.key, { action: change.action, outcome: change.outcome });
    case 'dismissed':
      return { ...state, notices: state.notices.filter(({ key }) => key !== change.notice) };
  }
}

function withLink(state: DashboardState, { kind, at, refusal }: ChangeOf<'link'>): DashboardState {
  const { link } = state;
  if (link.kind === kind && link.refusal?.code === refusal?.code) return state;
  const since = link.kind === kind ? link.since : at;
  return { ...state, link: { kind, since, ...(refusal && { refusal }) } };
}

function withStatus(
  { problem: _, ...state }: DashboardState,
  { status, askedAt }: ChangeOf<'status-read'>,
): DashboardState {
  const read: DashboardState = { ...state, status, history: withReport(state.history, status.health) };
  return Object.entries(state.pending).reduce((next, [key, { action, job: mine }]) => {
    // The answer to a request that was sent before the job began can't contain the job.
    if (mine === undefined || askedAt < mine.at) return next;
    const job = status.jobs.find(({ id }) => id === mine.id);
    if (job?.status === 'running') return next;
    // The job ended while the page was not listening.
    return ended(next, key, { action, outcome: job ? outcomeOf(job) : { kind: 'lost' } });
  }, read);
}

function withEvent(state: DashboardState, event: StreamEvent, at: number): DashboardState {
  const told = applyEvent(state, event, at);
  const report = 'report' in event.data ? event.data.report : null;
  const logged = isLogged(event)
    ? {
        ...told,
        log: withEntry(told.log, { key: told.serial, at, event, times: 1 }),
        serial: told.serial + 1,
      }
    : told;
  const next = { ...logged, history: withReport(state.history, report) };
  return 'job' in event.data ? withEndedJob(next, event.data.job) : next;
}

/** A repeated event is one line: a save that is skipped every two minutes must not hide other events. */
function withEntry([last, ...older]: readonly LogEntry[], entry: LogEntry): readonly LogEntry[] {
  if (last === undefined) return [entry];
  const isRepeated = JSON.stringify(last.event) === JSON.stringify(entry.event);
  const log = isRepeated
    ? [{ ...entry, key: last.key, times: last.times + 1 }, ...older]
    : [entry, last, ...older];
  return log.slice(0, MAX_LOG);
}

/** Leaves out periodic events and those that repeat another event, because they would hide the others. */
function isLogged({ name, data }: StreamEvent): boolean {
  if (name === 'job:completed') return ['verify', 'prune', 'reconnect'].includes(data.job.action);
  return !['health:checked', 'stream:opened', 'pairing:dropped', 'job:started'].includes(name);
}

function withReport(
  history: DashboardState['history'],
  report: HealthReport | null,
): DashboardState['history'] {
  if (report === null) return history;
  const point = pointOf(report);
  const last = history.at(-1);
  if (Number.isNaN(point.at) || (last !== undefined && point.at <= last.at)) return history;
  return [...history, point].slice(-MAX_HISTORY);
}

function accepted(state: DashboardState, { key, jobId, at }: ChangeOf<'accepted'>): DashboardState {
  const press = state.pending[key];
  if (press === undefined) return state;
  const next = { ...state, pending: { ...state.pending, [key]: { ...press, job: { id: jobId, at } } } };
  // The event of its end may arrive before the answer that says that it began.
  const job = state.status?.jobs.find(({ id }) => id === jobId);
  return job ? withEndedJob(next, job) : next;
}

function withEndedJob(state: DashboardState, job: Job): DashboardState {
  if (job.status === 'running') return state;
  return Object.entries(state.pending)
    .filter(([, press]) => press.job?.id === job.id)
    .reduce((next, [key]) => ended(next, key, { action: job.action, outcome: outcomeOf(job) }), state);
}

function outcomeOf({ status, result, error }: Job): Outcome {
  return status === 'failed'
    ? { kind: 'failed', error: error ?? { code: 'INTERNAL', message: '' } }
    : { kind: 'done', result };
}

function ended(state: DashboardState, key: string, notice: Omit<Notice, 'key'>): DashboardState {
  const { [key]: _, ...pending } = state.pending;
  const notices = [{ key: state.serial, ...notice }, ...state.notices].slice(0, MAX_NOTICES);
  return { ...state, pending, notices, serial: state.serial + 1 };
}

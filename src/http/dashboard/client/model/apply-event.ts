import { refusalOf } from '../../../../copy-refusal.js';
import type { CopySkipped, EventError } from '../../../../events.js';
import type { SnapshotInfo } from '../../../../types.js';
import type { Job, SessionView, StatusResponse, ToldError } from '../../../contract.js';
import type { DashboardState, StreamEvent } from './state.js';

/** The same limit as in the status. */
const MAX_SNAPSHOTS = 100;
const MAX_JOBS = 20;

/**
 * Applies what an event itself says to the status; sizes and other consequences come with the next reading.
 */
export function applyEvent(state: DashboardState, event: StreamEvent, at: number): DashboardState {
  if (event.name === 'lease:acquired') return { ...state, leaseOwner: event.data.owner };
  if (event.name === 'lease:lost') {
    const { leaseOwner: _, ...rest } = state;
    return rest;
  }
  return state.status === undefined ? state : { ...state, status: statusAfter(state.status, event, at) };
}

function statusAfter(status: StatusResponse, event: StreamEvent, at: number): StatusResponse {
  const session = (change: Partial<SessionView>): StatusResponse => ({
    ...status,
    session: { ...status.session, ...change },
  });
  switch (event.name) {
    case 'state:changed': {
      const { to } = event.data;
      const changed = session({
        state: to,
        connected: to === 'ready',
        stateSince: new Date(at).toISOString(),
        waiting: null, // the next status tells of a wait that goes on
      });
      if (to !== 'ready') return changed;
      return {
        ...changed,
        session: { ...changed.session, lastError: null, decision: null },
        qr: null,
        pairingCode: null,
      };
    }
    case 'save:completed': {
      const { snapshot } = event.data;
      return session({
        snapshots: withSnapshot(status, snapshot),
        lastSaved: snapshot.createdAt,
        lastSaveError: null,
      });
    }
    case 'backup:completed': {
      const { snapshot } = event.data;
      return session({
        snapshots: withSnapshot(status, snapshot),
        lastBackup: snapshot.createdAt,
        hasBackup: true,
        lastBackupError: null,
      });
    }
    case 'save:failed':
      return session({ lastSaveError: told(event.data.error, at, status.session.lastSaveError) });
    case 'backup:failed':
      return session({ lastBackupError: told(event.data.error, at, status.session.lastBackupError) });
    case 'save:skipped':
      return session({ lastSaveError: skipped(event.data, at, status.session.lastSaveError) });
    case 'backup:skipped':
      return session({ lastBackupError: skipped(event.data, at, status.session.lastBackupError) });
    case 'snapshots:pruned': {
      const { removed } = event.data;
      return session({
        snapshots: status.session.snapshots?.filter(({ id }) => !removed.includes(id)) ?? null,
      });
    }
    case 'session:cleared':
      return session({
        snapshots: [],
        hasSession: false,
        hasBackup: false,
        lastSaveError: null,
        lastBackupError: null,
      });
    case 'reconnect:scheduled': {
      const { attempt, error } = event.data;
      const lastError = error && { ...error, at: new Date(at).toISOString() };
      return session({ reconnectAttempts: attempt, ...(lastError && { lastError }) });
    }
    case 'reconnect:attempted':
      return session({ reconnectAttempts: event.data.attempt });
    case 'health:checked':
    case 'health:changed':
      return { ...status, health: event.data.report };
    case 'pairing:dropped':
      return event.data.kind === 'qr' ? { ...status, qr: null } : { ...status, pairingCode: null };
    case 'pairing:received':
      // The server draws the QR; a pairing code is shown as soon as the status contains it.
      return event.data.kind === 'qr'
        ? { ...status, qr: { value: '', receivedAt: event.data.receivedAt } }
        : status;
    case 'job:started':
    case 'job:completed':
    case 'job:failed':
      return { ...status, jobs: withJob(status.jobs, event.data.job) };
    default:
      return status;
  }
}

function withSnapshot({ session }: StatusResponse, snapshot: SnapshotInfo): SessionView['snapshots'] {
  const others = (session.snapshots ?? []).filter(({ id }) => id !== snapshot.id);
  return [snapshot, ...others].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1)).slice(0, MAX_SNAPSHOTS);
}

function withJob(jobs: readonly Job[], job: Job): readonly Job[] {
  return [job, ...jobs.filter(({ id }) => id !== job.id)].slice(0, MAX_JOBS);
}

/** The error of a failed copy. A copy that a stop interrupted has not failed. */
function told(error: EventError, at: number, before: ToldError | null): ToldError | null {
  return error.code === 'CLOSED' ? before : { ...error, at: new Date(at).toISOString() };
}

function skipped(copy: CopySkipped, at: number, before: ToldError | null): ToldError | null {
  const refusal = refusalOf(copy);
  if (refusal !== undefined) return told(refusal, at, before);
  return copy.reason === 'unchanged' ? null : before;
}

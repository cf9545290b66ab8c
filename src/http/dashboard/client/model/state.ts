import type { HealthReport, HealthStatus } from '../../../../health.js';
import type {
  ActionName,
  ActionResults,
  ErrorBody,
  StatusResponse,
  StreamEventName,
  StreamEvents,
} from '../../../contract.js';

/** Everything that the page shows. Times are ms since 1970 by the bot's clock, as far as the page knows it. */
export interface DashboardState {
  /** Absent until the status was read. */
  readonly status?: StatusResponse;
  /** Why the status can't be read; removed when it is read again. */
  readonly problem?: ErrorBody;
  readonly link: Link;
  /** One point for each health report that this page has seen, oldest first. */
  readonly history: readonly HealthPoint[];
  /** Newest first. */
  readonly log: readonly LogEntry[];
  /** The actions that were started on this page and are still running, by the key of their button. */
  readonly pending: Readonly<Record<string, Pending>>;
  /** How the actions of this page ended, newest first. */
  readonly notices: readonly Notice[];
  /** The owner of the lease, if an event has named it. */
  readonly leaseOwner?: string;
  /** A counter that gives log entries and notices their keys. */
  readonly serial: number;
}

/** The live connection. `ended`: the login is over. */
export interface Link {
  readonly kind: 'connecting' | 'live' | 'lost' | 'ended';
  readonly since: number;
  /** Why the bot sends no events although it answers; only for a lost connection. */
  readonly refusal?: ErrorBody;
}

export interface HealthPoint {
  readonly at: number;
  readonly score: number;
  readonly status: HealthStatus;
}

export interface Pending {
  readonly action: ActionName;
  /** The job of the action, once the bot has created one, and when the page learned of it. */
  readonly job?: { readonly id: string; readonly at: number };
}

/** One event, or the same event several times in a row. */
export interface LogEntry {
  readonly key: number;
  /** When the page received the (last) event. */
  readonly at: number;
  readonly event: StreamEvent;
  readonly times: number;
}

export type StreamEvent = {
  [Name in StreamEventName]: { readonly name: Name; readonly data: StreamEvents[Name] };
}[StreamEventName];

export interface Notice {
  readonly key: number;
  readonly action: ActionName;
  readonly outcome: Outcome;
}

export type Outcome =
  | { readonly kind: 'done'; readonly result: ActionResults[ActionName] | undefined }
  | { readonly kind: 'failed'; readonly error: ErrorBody }
  /** The bot was restarted before the action ended. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'download' };

/** The changes that can happen to the page. `askedAt` and an accepted job's `at` come from the same monotonic clock. */
export type Change =
  | { readonly type: 'status-read'; readonly status: StatusResponse; readonly askedAt: number }
  | { readonly type: 'status-failed'; readonly error: ErrorBody }
  | {
      readonly type: 'link';
      readonly kind: Link['kind'];
      readonly at: number;
      readonly refusal?: ErrorBody;
    }
  | { readonly type: 'event'; readonly event: StreamEvent; readonly at: number }
  | { readonly type: 'pressed'; readonly key: string; readonly action: ActionName }
  | { readonly type: 'accepted'; readonly key: string; readonly jobId: string; readonly at: number }
  | { readonly type: 'ended'; readonly key: string; readonly action: ActionName; readonly outcome: Outcome }
  | { readonly type: 'dismissed'; readonly notice: number };

export const INITIAL_STATE: DashboardState = {
  link: { kind: 'connecting', since: 0 },
  history: [],
  log: [],
  pending: {},
  notices: [],
  serial: 1,
};

/** Whether this action is running, started on this page or elsewhere. */
export function isRunning({ pending, status }: DashboardState, action: ActionName): boolean {
  return (
    Object.values(pending).some((press) => press.action === action) ||
    (status?.jobs.some((job) => job.action === action && job.status === 'running') ?? false)
  );
}

export function pointOf({ score, status, checkedAt }: HealthReport): HealthPoint {
  return { at: Date.parse(checkedAt), score, status };
}

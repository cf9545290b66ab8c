import type { HealthReport, HealthStatus } from '../../../../health.js';
import type {
  ActionName,
  ActionResults,
  ErrorBody,
  StatusResponse,
  StreamEventName,
  StreamEvents,
} from '../../../contract.js';

/** All that the page shows. Times are ms since 1970 by the clock of the bot, as far as the page knows it. */
export interface DashboardState {
  /** Absent until it was read. */
  readonly status?: StatusResponse;
  /** Why it can't be read; gone with the next one that is. */
  readonly problem?: ErrorBody;
  readonly link: Link;
  /** Of each report that this page has seen, oldest first. */
  readonly history: readonly HealthPoint[];
  /** Newest first. */
  readonly log: readonly LogEntry[];
  /** What was pressed and goes on, by the key of its button. */
  readonly pending: Readonly<Record<string, Pending>>;
  /** How what was pressed ended, newest first. */
  readonly notices: readonly Notice[];
  /** Who holds the lease, if an event has told. */
  readonly leaseOwner?: string;
  /** Counts up: keys of log and notices. */
  readonly serial: number;
}

/** The live connection. `ended`: the login is over. */
export interface Link {
  readonly kind: 'connecting' | 'live' | 'lost' | 'ended';
  readonly since: number;
  /** Of a lost one: why the bot, which is there, gives no events. */
  readonly refusal?: ErrorBody;
}

export interface HealthPoint {
  readonly at: number;
  readonly score: number;
  readonly status: HealthStatus;
}

export interface Pending {
  readonly action: ActionName;
  /** Once the bot has made a job of it: which, and when the page learned of it. */
  readonly job?: { readonly id: string; readonly at: number };
}

/** One event, or the same one several times in a row. */
export interface LogEntry {
  readonly key: number;
  /** When the page received it (the last of them). */
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
  /** The bot was restarted meanwhile. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'download' };

/** What can happen to the page. `askedAt` and `at` of an accepted job are by one steady clock. */
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

/** Whether something of this action goes on, started here or elsewhere. */
export function isRunning({ pending, status }: DashboardState, action: ActionName): boolean {
  return (
    Object.values(pending).some((press) => press.action === action) ||
    (status?.jobs.some((job) => job.action === action && job.status === 'running') ?? false)
  );
}

export function pointOf({ score, status, checkedAt }: HealthReport): HealthPoint {
  return { at: Date.parse(checkedAt), score, status };
}

import type { ActionName, ActionRequest, ErrorBody } from '../../contract.js';
import { type Api, errorBodyOf } from './api.js';
import { followEvents } from './live.js';
import { reduce } from './model/reduce.js';
import {
  type Change,
  type DashboardState,
  INITIAL_STATE,
  type Outcome,
  type StreamEvent,
} from './model/state.js';

/** How often values without events (memory, sizes, uptime) are read again while the page is visible. */
const READ_EVERY_MS = 30_000;
/** Several events often come together, and one reading after them is enough. */
const READ_AFTER_MS = 400;
/** How often a job is checked, in case the event of its end is lost. */
const WATCH_JOB_MS = 5_000;

/** After these events the status has changed in more than the events say. */
const READ_AFTER: ReadonlySet<StreamEvent['name']> = new Set([
  'stream:opened',
  'state:changed',
  'save:completed',
  'backup:completed',
  'restore:completed',
  'snapshots:pruned',
  'profile:pruned',
  'session:cleared',
  'session:imported',
  'session:revoked',
  'pairing:received',
  'job:completed',
  'job:failed',
]);

/** Holds the state of the page: reads the status, follows the events and runs the actions of the buttons. */
export class SessionControl {
  readonly api: Api;
  readonly #onChange: (state: DashboardState) => void;
  #state: DashboardState = INITIAL_STATE;
  #reading: Promise<void> | undefined;
  #readTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(api: Api, onChange: (state: DashboardState) => void) {
    this.api = api;
    this.#onChange = onChange;
  }

  get state(): DashboardState {
    return this.#state;
  }

  start(): void {
    this.#readSoon(0);
    followEvents(this.api.eventsUrl, {
      onEvent: (event) => this.#hear(event),
      onLost: () => {
        if (this.#state.link.kind === 'ended') return;
        this.#link('lost');
        this.#readSoon(READ_AFTER_MS); // shows whether the login has ended or the bot does not answer
      },
      onRefused: () => {
        this.#askWhyRefused().catch(() => undefined);
      },
    });
    setInterval(() => {
      if (document.visibilityState === 'visible') this.#readSoon(0);
    }, READ_EVERY_MS);
    setInterval(() => {
      if (Object.keys(this.#state.pending).length > 0) this.#readSoon(0);
    }, WATCH_JOB_MS);
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.#readSoon(0);
    });
  }

  /** Runs an action for the button named by `key`. Never rejects: how it ended becomes a notice. */
  async run(key: string, request: ActionRequest): Promise<boolean> {
    if (key in this.#state.pending) return false;
    const { action } = request;
    this.#change({ type: 'pressed', key, action });
    try {
      const answer = await this.api.run(request);
      if ('job' in answer) {
        this.#change({ type: 'accepted', key, jobId: answer.job.id, at: performance.now() });
      } else {
        this.end(key, action, { kind: 'done', result: answer.result });
      }
      this.#readSoon(READ_AFTER_MS);
      return true;
    } catch (error) {
      const body = errorBodyOf(error);
      this.end(key, action, { kind: 'failed', error: body });
      if (body.code === 'UNAUTHENTICATED') this.#link('ended');
      return false;
    }
  }

  end(key: string, action: ActionName, outcome: Outcome): void {
    this.#change({ type: 'ended', key, action, outcome });
  }

  dismiss(notice: number): void {
    this.#change({ type: 'dismissed', notice });
  }

  readAgain(): void {
    this.#readSoon(0);
  }

  #hear(event: StreamEvent): void {
    if (event.name === 'stream:opened') this.#link('live');
    this.#change({ type: 'event', event, at: this.api.now() });
    if (READ_AFTER.has(event.name)) this.#readSoon(READ_AFTER_MS);
  }

  async #askWhyRefused(): Promise<void> {
    const { link } = this.#state;
    if (link.kind === 'ended') return;
    const refusal = await this.api.whyNoEvents();
    if (this.#state.link !== link) return; // the connection has changed meanwhile
    if (refusal?.code === 'UNAUTHENTICATED') return this.#link('ended');
    // A proxy's page, or no answer at all, does not mean that the bot refused.
    const isAway = refusal?.code === 'UNREACHABLE' || refusal?.code === 'BAD_ANSWER';
    this.#link('lost', isAway ? undefined : refusal);
    this.#readSoon(READ_AFTER_MS);
  }

  #readSoon(delayMs: number): void {
    clearTimeout(this.#readTimer);
    this.#readTimer = setTimeout(() => this.#read().catch(() => undefined), delayMs);
  }

  /** One reading at a time; a request during a reading starts another one after it. */
  async #read(): Promise<void> {
    if (this.#reading) return this.#reading.then(() => this.#readSoon(READ_AFTER_MS));
    const askedAt = performance.now();
    this.#reading = this.api.status().then(
      (status) => {
        this.#change({ type: 'status-read', status, askedAt });
        if (this.#state.link.kind === 'ended') this.#link('connecting');
      },
      (error: unknown) => {
        const body = errorBodyOf(error);
        this.#change({ type: 'status-failed', error: body });
        if (body.code === 'UNAUTHENTICATED') this.#link('ended');
      },
    );
    await this.#reading.finally(() => {
      this.#reading = undefined;
    });
  }

  #link(kind: DashboardState['link']['kind'], refusal?: ErrorBody): void {
    this.#change({ type: 'link', kind, at: this.api.now(), ...(refusal && { refusal }) });
  }

  #change(change: Change): void {
    const next = reduce(this.#state, change);
    if (next === this.#state) return;
    this.#state = next;
    this.#onChange(next);
  }
}

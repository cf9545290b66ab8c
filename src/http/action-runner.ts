import { randomUUID } from 'node:crypto';
import { type Clock, resultWithin } from '../clock.js';
import { parseAction } from './action-request.js';
import { assertConfirmed, isAwaited, runAction } from './actions.js';
import { readJsonFields } from './body.js';
import type { ActionAcceptedResponse, ActionDoneResponse, ActionRequest } from './contract.js';
import { HttpError, tooMany } from './errors.js';
import type { Exchange } from './exchange.js';
import type { Jobs, StartedJob } from './jobs.js';
import { json } from './json-response.js';
import { isFromBrowser } from './origin.js';
import { RateLimit } from './rate-limit.js';
import type { SessionLike } from './session-like.js';

const MINUTE_MS = 60_000;

export interface ActionRunnerParts {
  readonly session: SessionLike;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly actionDeadlineMs: number;
  readonly bodyDeadlineMs: number;
  readonly testMessagesPerMinute: number;
}

/** Answers `POST <api>`. */
export class ActionRunner {
  readonly #parts: ActionRunnerParts;
  readonly #testMessages: RateLimit;

  constructor(parts: ActionRunnerParts) {
    this.#parts = parts;
    this.#testMessages = new RateLimit(parts.testMessagesPerMinute, MINUTE_MS, parts.clock);
  }

  /** @throws HttpError for a refused request; otherwise the error that the action threw */
  async run({ request, url, caller }: Exchange): Promise<Response> {
    const { jobs, session, clock, bodyDeadlineMs } = this.#parts;
    const asked = parseAction(await readJsonFields(request, { clock, deadlineMs: bodyDeadlineMs }));
    const waitMs = this.#waitMs(asked, url);
    if (caller.kind === 'cookie' || (caller.kind !== 'bearer' && isFromBrowser(request)))
      assertConfirmed(asked);
    if (asked.action === 'send-test-message') this.#countTestMessage();
    const started = jobs.start(asked.action, this.#keyOf(asked), () => runAction(session, asked));
    const outcome = waitMs > 0 ? await resultWithin(clock, waitMs, started.ended) : undefined;
    if (outcome === undefined) return this.#accepted(started, url);
    if ('error' in outcome) throw outcome.error;
    const done: ActionDoneResponse = { success: true, action: asked.action, result: outcome.result };
    return json(done);
  }

  #waitMs({ action }: ActionRequest, { searchParams }: URL): number {
    const wait = searchParams.get('wait');
    if (wait === null) return isAwaited(action) ? this.#parts.actionDeadlineMs : 0;
    if (wait === '') return this.#parts.actionDeadlineMs;
    if (/^([1-9]|[1-5]\d|60)$/.test(wait)) return Number(wait) * 1000;
    throw new HttpError(400, 'INVALID_REQUEST', 'wait must be empty or a number of seconds from 1 to 60');
  }

  #countTestMessage(): void {
    const waitMs = this.#testMessages.waitMs();
    if (waitMs > 0) {
      throw tooMany(
        'RATE_LIMITED',
        `at most ${this.#parts.testMessagesPerMinute} test messages a minute: WhatsApp bans for spam`,
        waitMs,
      );
    }
    this.#testMessages.note();
  }

  /** Equal requests that run at the same time share one job, but every test message gets its own job. */
  #keyOf(asked: ActionRequest): string {
    if (asked.action === 'send-test-message') return randomUUID();
    const { action, ...rest } = asked;
    return JSON.stringify([
      action,
      'snapshotId' in rest ? rest.snapshotId : null,
      'logout' in rest ? rest.logout : null,
    ]);
  }

  #accepted({ job }: StartedJob, url: URL): Response {
    const accepted: ActionAcceptedResponse = {
      success: true,
      action: job.action,
      job: this.#parts.jobs.get(job.id) ?? job,
    };
    const here = url.pathname.split('/').at(-1) ?? '';
    return json(accepted, { status: 202, headers: { Location: `${here}/jobs/${job.id}` } });
  }
}

import type {
  ActionAcceptedResponse,
  ActionDoneResponse,
  ActionRequest,
  ErrorBody,
  StatusResponse,
} from '../../contract.js';

/** Longer than the bot waits for an action before it answers with a job. */
const DEADLINE_MS = 90_000;
/** The deadline of a question whose answer is only useful at once. */
const SHORT_DEADLINE_MS = 10_000;

/** A request that was refused or got no answer. */
export class ApiError extends Error {
  readonly body: ErrorBody;
  constructor(body: ErrorBody) {
    super(body.message);
    this.body = body;
  }
}

/** The calls of the bot's API that the page needs. */
export class Api {
  readonly #url: string;
  /** How far the bot's clock is ahead of the browser's, ms, because ages are computed with the bot's clock. */
  #clockOffsetMs = 0;

  constructor(url: string) {
    this.#url = url;
  }

  /** Milliseconds since 1970 by the bot's clock. */
  now(): number {
    return Date.now() + this.#clockOffsetMs;
  }

  get eventsUrl(): string {
    return `${this.#url}/events`;
  }

  /** A new URL for each QR, so that the browser never shows an old one again. */
  qrUrl(receivedAt: string, attempt: number): string {
    return `${this.#url}/qr.svg?${new URLSearchParams({ received: receivedAt, attempt: String(attempt) })}`;
  }

  downloadUrl(snapshotId: string): string {
    return `${this.#url}/snapshots/${encodeURIComponent(snapshotId)}`;
  }

  async status(): Promise<StatusResponse> {
    return (await this.#ask(this.#url, {})) as StatusResponse;
  }

  async run(request: ActionRequest): Promise<ActionDoneResponse | ActionAcceptedResponse> {
    const body = JSON.stringify(request);
    const headers = { 'Content-Type': 'application/json' };
    return (await this.#ask(this.#url, { method: 'POST', headers, body })) as
      | ActionDoneResponse
      | ActionAcceptedResponse;
  }

  /**
   * Finds out why there are no events, because an `EventSource` does not say. Requests the stream once and closes it.
   *
   * @returns `undefined` if the events would come now
   */
  async whyNoEvents(): Promise<ErrorBody | undefined> {
    const hangUp = new AbortController();
    const deadline = setTimeout(() => hangUp.abort(), SHORT_DEADLINE_MS);
    try {
      const response = await fetch(this.eventsUrl, {
        headers: { Accept: 'text/event-stream' },
        cache: 'no-store',
        credentials: 'same-origin',
        signal: hangUp.signal,
      });
      return response.ok ? undefined : refusalOf(response, await response.json().catch(() => undefined));
    } catch {
      return { code: 'UNREACHABLE', message: '' };
    } finally {
      clearTimeout(deadline);
      hangUp.abort();
    }
  }

  async post(url: string): Promise<void> {
    await this.#ask(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' });
  }

  async #ask(url: string, init: RequestInit): Promise<unknown> {
    const response = await fetch(url, {
      ...init,
      headers: { Accept: 'application/json', ...init.headers },
      cache: 'no-store',
      credentials: 'same-origin',
      signal: AbortSignal.timeout(DEADLINE_MS),
    }).catch(() => {
      throw new ApiError({ code: 'UNREACHABLE', message: '' });
    });
    this.#compareClocks(response.headers.get('date'));
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok && isObject(answer) && answer.success === true) return answer;
    throw new ApiError(refusalOf(response, answer));
  }

  #compareClocks(date: string | null): void {
    const offset = Date.parse(date ?? '') - Date.now();
    // A small difference is ignored: the header counts in whole seconds, and the answer takes some time.
    if (!Number.isNaN(offset)) this.#clockOffsetMs = Math.abs(offset) < 3000 ? 0 : offset;
  }
}

export function errorBodyOf(error: unknown): ErrorBody {
  if (error instanceof ApiError) return error.body;
  return { code: 'BAD_ANSWER', message: error instanceof Error ? error.message : '' };
}

function refusalOf({ status }: Response, answer: unknown): ErrorBody {
  if (isRefusal(answer)) return answer.error;
  return { code: status === 401 ? 'UNAUTHENTICATED' : 'BAD_ANSWER', message: `HTTP ${status}` };
}

function isRefusal(answer: unknown): answer is { readonly error: ErrorBody } {
  return (
    isObject(answer) &&
    answer.success === false &&
    isObject(answer.error) &&
    typeof answer.error.code === 'string' &&
    typeof answer.error.message === 'string'
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

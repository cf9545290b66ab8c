import { createHash, timingSafeEqual } from 'node:crypto';
import { type Clock, withDeadline } from '../clock.js';
import { describeError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { ClientView } from './connection.js';
import type { LoginCookie } from './cookies.js';
import type { DashboardLogins } from './dashboard-logins.js';
import { HttpError, tooMany } from './errors.js';
import type { Admission } from './event-streams.js';
import { RateLimit } from './rate-limit.js';

/** How long the application's own auth function may take. */
const FUNCTION_DEADLINE_MS = 10_000;
const MAX_FAILURES = 10;
const FAILURE_WINDOW_MS = 60_000;
/** No token is longer, so a longer text is refused without hashing it. */
const MAX_TOKEN_LENGTH = 512;

/** Decides whether a request is allowed. Must not read its body. Any result other than `true` means no. */
export type AuthFunction = (request: Request) => boolean | Promise<boolean>;

/** The caller of a request. */
export interface Caller {
  readonly kind: 'bearer' | 'cookie' | 'function' | 'anybody';
  /** The id of the login, for a caller with the login cookie. */
  readonly loginId?: string;
}

export interface AuthenticatorParts {
  readonly auth: string | 'none' | AuthFunction;
  readonly logins: DashboardLogins;
  readonly cookie: LoginCookie;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Decides who may use the handler. */
export class Authenticator {
  readonly #parts: AuthenticatorParts;
  readonly #tokenHash: Buffer | undefined;
  readonly #failures: RateLimit;

  constructor(parts: AuthenticatorParts) {
    this.#parts = parts;
    const { auth } = parts;
    this.#tokenHash = typeof auth === 'string' && auth !== 'none' ? sha256(auth) : undefined;
    this.#failures = new RateLimit(MAX_FAILURES, FAILURE_WINDOW_MS, parts.clock);
  }

  /** Whether a visitor can log in with the dashboard's own login form. */
  get hasLogin(): boolean {
    return this.#tokenHash !== undefined;
  }

  /** @throws HttpError 401, or 429 for a caller whose tokens were wrong too often */
  async identify(request: Request, client: ClientView): Promise<Caller> {
    const { auth } = this.#parts;
    if (auth === 'none') return { kind: 'anybody' };
    if (typeof auth === 'function') return this.#askFunction(auth, request);
    const bearer = /^bearer +(.*)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
    if (bearer !== undefined) {
      if (this.#isToken(bearer)) return { kind: 'bearer' };
      throw this.#failed(client);
    }
    const loginId = this.#parts.cookie.read(request, client.isSecure);
    if (loginId !== undefined && this.#parts.logins.isOpen(loginId)) return { kind: 'cookie', loginId };
    throw unauthenticated();
  }

  /** Whether the caller is still allowed: a login may end, also one that the application's function checks. */
  admissionOf({ kind, loginId }: Caller, request: Request): Admission {
    const { auth, logins } = this.#parts;
    return {
      isAllowed: () => loginId === undefined || logins.isOpen(loginId),
      ...(kind === 'function' &&
        typeof auth === 'function' && { isStillAllowed: () => this.#isAllowedBy(auth, request) }),
    };
  }

  /**
   * Begins a login for a caller who knows the token. A caller who sent too many wrong tokens is refused for a while
   * without a check. Where addresses are not known, this would lock everybody out, so there the right token is still
   * accepted.
   *
   * @returns the login's id
   * @throws HttpError 401 or 429
   */
  logIn(token: string, client: ClientView): string {
    const waitMs = client.address === undefined ? 0 : this.#failures.waitMs(client.address);
    if (waitMs > 0) throw tooManyFailures(waitMs);
    if (!this.#isToken(token)) throw this.#failed(client);
    return this.#parts.logins.begin();
  }

  /** Compares hashes of equal length in constant time, so that the time reveals nothing about the token. */
  #isToken(presented: string): boolean {
    if (this.#tokenHash === undefined || presented.length > MAX_TOKEN_LENGTH) return false;
    return timingSafeEqual(sha256(presented), this.#tokenHash);
  }

  #failed(client: ClientView): HttpError {
    const key = keyOf(client);
    const waitMs = this.#failures.waitMs(key);
    if (waitMs > 0) return tooManyFailures(waitMs);
    this.#failures.note(key);
    this.#parts.logger.warn('a wrong token was presented', { address: client.address });
    return unauthenticated();
  }

  async #askFunction(auth: AuthFunction, request: Request): Promise<Caller> {
    if (await this.#isAllowedBy(auth, request)) return { kind: 'function' };
    throw unauthenticated();
  }

  /** Never rejects: a function that fails or takes too long counts as a no. */
  async #isAllowedBy(auth: AuthFunction, request: Request): Promise<boolean> {
    const { clock, logger } = this.#parts;
    try {
      const answer = Promise.resolve(auth(request));
      return (await withDeadline(clock, FUNCTION_DEADLINE_MS, 'the auth function', answer)) === true;
    } catch (error) {
      logger.error('the auth function failed, so the request is refused', {
        error: describeError(error).message,
      });
      return false;
    }
  }
}

function unauthenticated(): HttpError {
  return new HttpError(401, 'UNAUTHENTICATED', 'this needs the token, as "Authorization: Bearer <token>"', {
    'WWW-Authenticate': 'Bearer',
  });
}

function tooManyFailures(waitMs: number): HttpError {
  return tooMany('RATE_LIMITED', 'too many wrong tokens', waitMs);
}

/** Callers with an unknown address share one count. */
function keyOf({ address }: ClientView): string {
  return address ?? 'unknown';
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

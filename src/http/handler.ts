import { describeError, isSessionError } from '../errors.js';
import { ActionRunner } from './action-runner.js';
import { Authenticator } from './auth.js';
import { type ConnectionInfo, clientView } from './connection.js';
import type { HealthzResponse, JobResponse, ReadyzResponse } from './contract.js';
import { LoginCookie } from './cookies.js';
import { Dashboard } from './dashboard.js';
import { DashboardLogins } from './dashboard-logins.js';
import { Downloads } from './downloads.js';
import { errorBody, errorResponse, HttpError, notFound } from './errors.js';
import { EventStreams } from './event-streams.js';
import type { Exchange } from './exchange.js';
import { Jobs } from './jobs.js';
import { json } from './json-response.js';
import { type ResolvedHandlerOptions, resolveHandlerOptions, type SessionHandlerOptions } from './options.js';
import { assertOwnHost, assertOwnOrigin, assertOwnReader } from './origin.js';
import { PairingCodes } from './pairing-codes.js';
import { qrSvg } from './qr-svg.js';
import { Redactor } from './redact.js';
import { plainPathOf } from './request-target.js';
import { type Match, matchPath, type RouteName } from './router.js';
import { withSecurityHeaders } from './security-headers.js';
import { followSession } from './session-feed.js';
import { assertSession, type SessionLike } from './session-like.js';
import { StatusReader } from './status-reader.js';

/** A Web-standard handler. Its methods make a route of Next.js: `export const { GET, POST } = createSessionHandler(...)`. */
export interface SessionHandler {
  (request: Request, connection?: ConnectionInfo): Promise<Response>;
  readonly GET: (request: Request) => Promise<Response>;
  readonly HEAD: (request: Request) => Promise<Response>;
  readonly POST: (request: Request) => Promise<Response>;
  readonly OPTIONS: (request: Request) => Promise<Response>;
  /**
   * Whether a path belongs to the handler; an application passes other paths on. Give it the path exactly as it was
   * sent, without the query, because a URL parser may change it.
   */
  matches(pathname: string): boolean;
  /** Ends all streams and stops listening to the session. */
  close(): void;
}

/**
 * Serves the documented API, the live events and the dashboard of a session.
 *
 * @throws ConfigurationError without a session or `auth`, and for every option that is unknown or out of range
 * @example
 * const handler = createSessionHandler(session, { auth: process.env.DASHBOARD_TOKEN });
 * createServer(toNodeListener(handler)).listen(3000, '127.0.0.1');
 */
export function createSessionHandler(session: SessionLike, options: SessionHandlerOptions): SessionHandler {
  assertSession(session);
  const server = new SessionServer(session, resolveHandlerOptions(options));
  const handle = (request: Request, connection: ConnectionInfo = {}) => server.handle(request, connection);
  const method = (request: Request) => server.handle(request, {});
  return Object.assign(handle, {
    GET: method,
    HEAD: method,
    POST: method,
    OPTIONS: method,
    matches: (pathname: string) => server.matches(pathname),
    close: () => server.close(),
  });
}

/** Connects the parts, and checks each request in the same order: path, method, caller, origin. */
class SessionServer {
  readonly #session: SessionLike;
  readonly #options: ResolvedHandlerOptions;
  readonly #redactor: Redactor;
  readonly #authenticator: Authenticator;
  readonly #streams: EventStreams;
  readonly #pairing: PairingCodes;
  readonly #jobs: Jobs;
  readonly #status: StatusReader;
  readonly #actions: ActionRunner;
  readonly #dashboard: Dashboard;
  readonly #downloads: Downloads;
  readonly #logged = new WeakSet<object>();
  readonly #stopFollowing: () => void;

  constructor(session: SessionLike, options: ResolvedHandlerOptions) {
    this.#session = session;
    this.#options = options;
    const { auth, clock, logger, maxStreams } = options;
    const token = typeof auth === 'string' && auth !== 'none' ? [auth] : [];
    this.#redactor = new Redactor(() => [...token, ...(this.#pairing?.values() ?? [])]);
    this.#streams = new EventStreams({ clock, maxStreams, redactor: this.#redactor });
    this.#pairing = new PairingCodes(session, clock, this.#streams.announce);
    const logins = new DashboardLogins(options.loginTtlMs, clock);
    const cookie = new LoginCookie(scopeOf(session, options));
    this.#authenticator = new Authenticator({ auth, logins, cookie, clock, logger });
    this.#jobs = new Jobs({
      clock,
      describe: (error) => this.#describe(error),
      redact: (result) => this.#redactor.value(result),
      announce: (name, job) => {
        this.#status.expire();
        this.#streams.announce(name, { job });
      },
    });
    this.#status = new StatusReader(session, {
      clock,
      logger,
      jobs: this.#jobs,
      pairing: this.#pairing,
      redact: (value) => this.#redactor.value(value),
    });
    this.#actions = new ActionRunner({ session, jobs: this.#jobs, ...options });
    this.#downloads = new Downloads(session, options.allowDownload);
    this.#dashboard = new Dashboard({
      options,
      authenticator: this.#authenticator,
      logins,
      cookie,
      bodyRules: { clock, deadlineMs: options.bodyDeadlineMs },
      onLogout: () => this.#streams.closeUnwelcome(),
    });
    this.#stopFollowing = followSession(session, (name, payload) => {
      this.#status.note(name, payload);
      this.#streams.announce(name, payload as never);
    });
  }

  matches(pathname: string): boolean {
    return matchPath(pathname, this.#options) !== undefined;
  }

  close(): void {
    this.#stopFollowing();
    this.#pairing.close();
    this.#streams.close();
  }

  /** Never rejects. */
  async handle(request: Request, connection: ConnectionInfo): Promise<Response> {
    let response: Response;
    try {
      response = await this.#answer(request, connection);
    } catch (error) {
      if (!(error instanceof HttpError)) this.#log(error);
      response = errorResponse(error, this.#redactor.message);
    }
    withSecurityHeaders(response);
    return request.method === 'HEAD' ? withoutBody(response) : response;
  }

  async #answer(request: Request, connection: ConnectionInfo): Promise<Response> {
    const path = plainPathOf(request.url);
    const match = path === undefined ? undefined : matchPath(path, this.#options);
    if (!match) throw notFound('not found: this path does not exist');
    const url = new URL(request.url);
    const route = this.#routeOf(match, request.method);
    if (route === 'healthz') return json({ success: true, status: 'up' } satisfies HealthzResponse);
    if (route === 'login-page') return this.#dashboard.toDashboard(request);
    const client = clientView(request, connection, this.#options.trustProxy);
    if (this.#options.auth === 'none') assertOwnHost(client, this.#options.allowedHosts);
    if (route === 'login') return this.#dashboard.logIn(request, client);
    try {
      const caller = await this.#authenticator.identify(request, client);
      const isReading = request.method === 'GET' || request.method === 'HEAD';
      if (isReading) assertOwnReader(request, client, caller);
      else if (request.method !== 'OPTIONS') assertOwnOrigin(request, client, caller);
      if (route === undefined) return refuseMethod(match, request.method);
      return await this.#serve(route, { request, url, client, caller, id: match.id });
    } catch (error) {
      const isRefused = error instanceof HttpError && (error.status === 401 || error.status === 429);
      if (route === 'dashboard' && isRefused) return this.#dashboard.loginForm(request, error);
      throw error;
    }
  }

  #routeOf({ routes }: Match, method: string): RouteName | undefined {
    return method === 'GET' || method === 'HEAD' || method === 'POST' ? routes[method] : undefined;
  }

  async #serve(route: RouteName, exchange: Exchange): Promise<Response> {
    const { request, caller, id } = exchange;
    switch (route) {
      case 'status':
        return json(await this.#status.read());
      case 'action':
        return this.#actions.run(exchange);
      case 'events':
        return this.#streams.open(
          request.headers.get('last-event-id'),
          this.#authenticator.admissionOf(caller, request),
        );
      case 'qr':
        return this.#qr();
      case 'download':
        return this.#downloads.open(id);
      case 'job':
        return this.#job(id);
      case 'readyz':
        return this.#readyz();
      case 'dashboard':
        return this.#dashboard.page(request);
      case 'logout':
        return this.#dashboard.logOut(exchange);
      default:
        throw notFound('not found: this path does not exist');
    }
  }

  async #qr(): Promise<Response> {
    const qr = this.#pairing.get('qr');
    if (!qr) throw notFound('no QR waits to be scanned');
    return new Response(await qrSvg(qr.value), { headers: { 'Content-Type': 'image/svg+xml' } });
  }

  #job(id: string): Response {
    const job = this.#jobs.get(id);
    if (!job) throw notFound('there is no such job; the last 100 are kept');
    return json({ success: true, job } satisfies JobResponse);
  }

  #readyz(): Response {
    const { state } = this.#session;
    if (state === 'ready') return json({ success: true, status: 'ready' } satisfies ReadyzResponse);
    throw new HttpError(503, 'NOT_READY', `the session is ${state}`);
  }

  #describe(error: unknown): ReturnType<typeof errorBody> {
    this.#log(error);
    return errorBody(error, this.#redactor.message);
  }

  /** Logs an error once, because a waiting caller and the job of the action get the same error. */
  #log(error: unknown): void {
    if (typeof error === 'object' && error !== null) {
      if (this.#logged.has(error)) return;
      this.#logged.add(error);
    }
    const stack = error instanceof Error && !isSessionError(error) ? { stack: error.stack } : {};
    this.#options.logger.error('a request or an action failed', { ...describeError(error), ...stack });
  }
}

/** What distinguishes this dashboard from those of other bots on the same host; it stays the same after a restart. */
function scopeOf(session: SessionLike, { basePath, dashboardPath }: ResolvedHandlerOptions): string[] {
  const { clientId, paths } = session.status();
  return [clientId, paths.profile, basePath, dashboardPath];
}

/** OPTIONS lists the allowed methods; another origin is never allowed anything. */
function refuseMethod({ routes }: Match, method: string): Response {
  const allowed = [...Object.keys(routes), 'OPTIONS'].join(', ');
  if (method === 'OPTIONS') return new Response(null, { status: 204, headers: { Allow: allowed } });
  throw new HttpError(405, 'METHOD_NOT_ALLOWED', `only ${allowed} is possible here`, { Allow: allowed });
}

function withoutBody(response: Response): Response {
  response.body?.cancel().catch(() => undefined);
  return new Response(null, { status: response.status, headers: response.headers });
}

import type { Authenticator } from './auth.js';
import { type BodyRules, isForm, readFields } from './body.js';
import type { ClientView } from './connection.js';
import type { LoginResponse } from './contract.js';
import type { LoginCookie } from './cookies.js';
import { localeOf, localeQuery } from './dashboard/locale.js';
import { type LoginProblem, loginPage } from './dashboard/login-page.js';
import { dashboardPage } from './dashboard/page.js';
import type { DashboardLogins } from './dashboard-logins.js';
import { HttpError, notFound } from './errors.js';
import type { Exchange } from './exchange.js';
import { json } from './json-response.js';
import type { ResolvedHandlerOptions } from './options.js';
import { assertOwnOrigin } from './origin.js';
import { relativeUrl } from './router.js';
import { htmlResponse, newNonce } from './security-headers.js';

export interface DashboardParts {
  readonly options: ResolvedHandlerOptions;
  readonly authenticator: Authenticator;
  readonly logins: DashboardLogins;
  readonly cookie: LoginCookie;
  readonly bodyRules: BodyRules;
  /** Called when a login has ended. */
  readonly onLogout: () => void;
}

/** Serves the dashboard page and its login form. */
export class Dashboard {
  readonly #parts: DashboardParts;

  constructor(parts: DashboardParts) {
    this.#parts = parts;
  }

  page(request: Request): Response {
    const { options, authenticator } = this.#parts;
    const { apiPath, dashboardPath, allowDownload } = options;
    const nonce = newNonce();
    const html = dashboardPage({
      nonce,
      locale: localeOf(request),
      apiUrl: relativeUrl(dashboardPath, apiPath),
      ...(authenticator.hasLogin && { logoutUrl: relativeUrl(dashboardPath, `${dashboardPath}/logout`) }),
      allowDownload,
    });
    return htmlResponse(html, nonce);
  }

  /** The login form, shown instead of the page to visitors who are not logged in. */
  loginForm(request: Request, { status, headers }: HttpError): Response {
    const { dashboardPath } = this.#parts.options;
    const response = this.#form(request, dashboardPath, status, status === 429 ? 'too-many' : undefined);
    for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
    return response;
  }

  /** Logs in with the token from a form or from JSON. @throws HttpError */
  async logIn(request: Request, client: ClientView): Promise<Response> {
    const { authenticator, bodyRules, cookie, options } = this.#parts;
    if (!authenticator.hasLogin) throw notFound('there is no login here');
    assertOwnOrigin(request, client);
    const token = (await readFields(request, bodyRules)).get('token');
    if (typeof token !== 'string') throw new HttpError(400, 'INVALID_REQUEST', 'token must be a text');
    try {
      const id = authenticator.logIn(token, client);
      return this.#answer(
        request,
        isForm(request),
        cookie.set(id, { ...client, maxAgeMs: options.loginTtlMs }),
      );
    } catch (error) {
      if (!(error instanceof HttpError) || !isForm(request)) throw error;
      const problem = error.status === 429 ? 'too-many' : 'wrong-token';
      const response = this.#form(request, `${options.dashboardPath}/login`, error.status, problem);
      for (const [name, value] of Object.entries(error.headers)) response.headers.set(name, value);
      return response;
    }
  }

  logOut({ request, client, caller }: Exchange): Response {
    const { authenticator, logins, cookie, onLogout } = this.#parts;
    if (!authenticator.hasLogin) throw notFound('there is no login here');
    if (caller.loginId !== undefined) logins.end(caller.loginId);
    onLogout();
    const wantsPage = (request.headers.get('accept') ?? '').includes('text/html');
    return this.#answer(request, wantsPage, cookie.set('', { ...client, maxAgeMs: 0 }));
  }

  /** Redirects from an address below the dashboard to the dashboard, in the requested language. */
  toDashboard(request: Request): Response {
    const { dashboardPath } = this.#parts.options;
    const location = relativeUrl(`${dashboardPath}/login`, dashboardPath) + localeQuery(request);
    return new Response(null, { status: 303, headers: { Location: location } });
  }

  #answer(request: Request, asPage: boolean, cookie: string): Response {
    const body: LoginResponse = { success: true };
    const response = asPage ? this.toDashboard(request) : json(body);
    response.headers.set('Set-Cookie', cookie);
    return response;
  }

  /** @param path where the form is shown, because its addresses are relative to that */
  #form(request: Request, path: string, status: number, problem?: LoginProblem): Response {
    const { authenticator, options } = this.#parts;
    const { dashboardPath } = options;
    const nonce = newNonce();
    const loginUrl = relativeUrl(path, `${dashboardPath}/login`) + localeQuery(request);
    const html = loginPage({
      nonce,
      locale: localeOf(request),
      dashboardUrl: relativeUrl(path, dashboardPath),
      ...(authenticator.hasLogin && { loginUrl }),
      ...(problem && { problem }),
    });
    return htmlResponse(html, nonce, status);
  }
}

import type { Authenticator } from './auth.js';
import { type BodyRules, isForm, readFields } from './body.js';
import type { ClientView } from './connection.js';
import type { LoginResponse } from './contract.js';
import type { LoginCookie } from './cookies.js';
import { localeOf } from './dashboard/locale.js';
import { type LoginProblem, loginPage } from './dashboard/login-page.js';
import { dashboardPage } from './dashboard/page.js';
import { HttpError, notFound } from './errors.js';
import type { Exchange } from './exchange.js';
import { json } from './json-response.js';
import type { Logins } from './logins.js';
import type { ResolvedHandlerOptions } from './options.js';
import { assertOwnOrigin } from './origin.js';
import { relativeUrl } from './router.js';
import { htmlResponse, newNonce } from './security-headers.js';

export interface DashboardParts {
  readonly options: ResolvedHandlerOptions;
  readonly authenticator: Authenticator;
  readonly logins: Logins;
  readonly cookie: LoginCookie;
  readonly bodyRules: BodyRules;
  /** Called when a login has ended. */
  readonly onLogout: () => void;
}

/** The page for people, and the way into it. */
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

  /** Instead of the page, for who is not logged in. */
  loginForm(request: Request, { status, headers }: HttpError): Response {
    const { dashboardPath } = this.#parts.options;
    const url = relativeUrl(dashboardPath, `${dashboardPath}/login`);
    const page = relativeUrl(dashboardPath, dashboardPath);
    const response = this.#form(request, page, url, status, status === 429 ? 'too-many' : undefined);
    for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
    return response;
  }

  /** Takes the token of the form, or of JSON. @throws HttpError */
  async logIn(request: Request, client: ClientView): Promise<Response> {
    const { authenticator, bodyRules, options } = this.#parts;
    if (!authenticator.hasLogin) throw notFound('there is no login here');
    assertOwnOrigin(request, client);
    const token = (await readFields(request, bodyRules)).get('token');
    if (typeof token !== 'string') throw new HttpError(400, 'INVALID_REQUEST', 'token must be a text');
    try {
      const id = authenticator.logIn(token, client);
      return this.#answer(isForm(request), id, client, options.loginTtlMs);
    } catch (error) {
      if (!(error instanceof HttpError) || !isForm(request)) throw error;
      const { dashboardPath } = options;
      const url = relativeUrl(`${dashboardPath}/login`, `${dashboardPath}/login`);
      const response = this.#form(
        request,
        relativeUrl(`${dashboardPath}/login`, dashboardPath),
        url,
        error.status,
        error.status === 429 ? 'too-many' : 'wrong-token',
      );
      for (const [name, value] of Object.entries(error.headers)) response.headers.set(name, value);
      return response;
    }
  }

  logOut({ request, client, caller }: Exchange): Response {
    const { authenticator, logins, onLogout } = this.#parts;
    if (!authenticator.hasLogin) throw notFound('there is no login here');
    if (caller.loginId !== undefined) logins.end(caller.loginId);
    onLogout();
    const wantsPage = (request.headers.get('accept') ?? '').includes('text/html');
    return this.#answer(wantsPage, '', client, 0);
  }

  #answer(asPage: boolean, loginId: string, { isSecure }: ClientView, maxAgeMs: number): Response {
    const { cookie, options } = this.#parts;
    const { dashboardPath } = options;
    const body: LoginResponse = { success: true };
    const location = relativeUrl(`${dashboardPath}/login`, dashboardPath);
    const response = asPage
      ? new Response(null, { status: 303, headers: { Location: location } })
      : json(body);
    response.headers.set('Set-Cookie', cookie.set(loginId, { isSecure, maxAgeMs }));
    return response;
  }

  #form(
    request: Request,
    dashboardUrl: string,
    loginUrl: string,
    status: number,
    problem?: LoginProblem,
  ): Response {
    const nonce = newNonce();
    const html = loginPage({
      nonce,
      locale: localeOf(request),
      dashboardUrl,
      ...(this.#parts.authenticator.hasLogin && { loginUrl }),
      ...(problem && { problem }),
    });
    return htmlResponse(html, nonce, status);
  }
}

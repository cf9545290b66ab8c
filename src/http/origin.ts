import type { Caller } from './auth.js';
import type { ClientView } from './connection.js';
import { HttpError } from './errors.js';

/**
 * Refuses a change that a page of another origin requests. A browser says where a request comes from (`Sec-Fetch-Site`,
 * `Origin`), and no script can forge that; other callers send no such header.
 *
 * @param caller the caller of the request; `undefined` for a login
 * @throws HttpError 403
 */
export function assertOwnOrigin(request: Request, client: ClientView, caller?: Caller): void {
  // Another origin's page does not know the token.
  if (caller?.kind === 'bearer') return;
  const site = request.headers.get('sec-fetch-site');
  const origin = request.headers.get('origin');
  if (origin !== null && hostOf(origin) === client.host && (site === null || site === 'same-origin')) return;
  // `Sec-Fetch-Site` also decides behind a proxy that changes the Host.
  if (site === 'same-origin') return;
  // Only a browser has the cookie, and a browser would have sent one of these headers.
  if (site === null && origin === null && caller?.kind !== 'cookie') return;
  throw new HttpError(403, 'FORBIDDEN_ORIGIN', 'this may only be asked for by a page of the same origin');
}

/**
 * Refuses to show data to a page of another origin where only the browser's network or cookie lets it in, also where a
 * function of the application decides by its own cookie. Browsers withhold such answers from the page by themselves,
 * unless middleware in front allows every origin (CORS). A link to this server sends no `Origin`.
 *
 * @throws HttpError 403
 */
export function assertOwnReader(request: Request, client: ClientView, caller: Caller): void {
  const knowsSecret = caller.kind === 'bearer' || (caller.kind === 'function' && hasOnlyBearer(request));
  if (!knowsSecret && request.headers.has('origin')) assertOwnOrigin(request, client, caller);
}

/**
 * Whether the caller itself must have added the secret: a browser adds cookies and `Basic` passwords automatically, but
 * never a bearer token. With both a token and a cookie, only the application's function knows which of them counted.
 */
function hasOnlyBearer({ headers }: Request): boolean {
  return !headers.has('cookie') && /^bearer +\S/i.test(headers.get('authorization') ?? '');
}

/**
 * Refuses a request to an unknown host name. In a handler that lets everybody in, only the host name distinguishes a
 * page of the bot from a page whose host name was made to point to the bot.
 *
 * @throws HttpError 403
 */
export function assertOwnHost({ host }: ClientView, allowedHosts: readonly string[]): void {
  if (allowedHosts.includes(hostNameOf(host) ?? '')) return;
  throw new HttpError(
    403,
    'FORBIDDEN_HOST',
    `this host name is none of allowedHosts: ${allowedHosts.join(', ')}`,
  );
}

/** Whether a page in a browser sent the request, as far as its headers show. */
export function isFromBrowser(request: Request): boolean {
  return request.headers.has('sec-fetch-site') || request.headers.has('origin');
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined; // for example `null`, which a sandboxed frame sends
  }
}

function hostNameOf(host: string): string | undefined {
  try {
    return new URL(`http://${host}`).hostname;
  } catch {
    return undefined;
  }
}

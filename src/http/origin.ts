import type { Caller } from './auth.js';
import type { ClientView } from './connection.js';
import { HttpError } from './errors.js';

/**
 * Refuses a change that a page of another origin asks for. A browser tells where a request comes from
 * (`Sec-Fetch-Site`, `Origin`), and no script can forge it; a caller who is no browser tells nothing.
 *
 * @param caller who asks; `undefined` for a login
 * @throws HttpError 403
 */
export function assertOwnOrigin(request: Request, client: ClientView, caller?: Caller): void {
  // Another origin's page does not know the token.
  if (caller?.kind === 'bearer') return;
  const site = request.headers.get('sec-fetch-site');
  const origin = request.headers.get('origin');
  if (origin !== null && hostOf(origin) === client.host && (site === null || site === 'same-origin')) return;
  // Behind a proxy that changes the Host the browser's own word counts.
  if (site === 'same-origin') return;
  // Only a browser has the cookie, and it would have told.
  if (site === null && origin === null && caller?.kind !== 'cookie') return;
  throw new HttpError(403, 'FORBIDDEN_ORIGIN', 'this may only be asked for by a page of the same origin');
}

/**
 * Refuses to show a page of another origin what only the browser's place or cookie lets it see, also where a function of
 * the application decides by its own cookie. A browser keeps it from such a page by itself, unless middleware in front
 * allows every origin (CORS). A link that leads here has no `Origin`.
 *
 * @throws HttpError 403
 */
export function assertOwnReader(request: Request, client: ClientView, caller: Caller): void {
  const knowsSecret = caller.kind === 'bearer' || (caller.kind === 'function' && hasOnlyBearer(request));
  if (!knowsSecret && request.headers.has('origin')) assertOwnOrigin(request, client, caller);
}

/**
 * Whether a page must have sent the secret itself: a browser adds cookies and the passwords of `Basic` by itself, a bearer
 * token never. With a cookie beside it nobody but the function knows which of them counted.
 */
function hasOnlyBearer({ headers }: Request): boolean {
  return !headers.has('cookie') && /^bearer +\S/i.test(headers.get('authorization') ?? '');
}

/**
 * Refuses a request to a host name that is not ours: for a handler that lets everybody in, the name is the only thing
 * that tells a page of the bot from one whose host name was made to point to it.
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

/** Whether a page asks, as far as the request tells. */
export function isFromBrowser(request: Request): boolean {
  return request.headers.has('sec-fetch-site') || request.headers.has('origin');
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined; // `null`, as a sandboxed frame sends it
  }
}

function hostNameOf(host: string): string | undefined {
  try {
    return new URL(`http://${host}`).hostname;
  } catch {
    return undefined;
  }
}

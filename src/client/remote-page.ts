import { type Clock, orAborted, withDeadline } from '../clock.js';
import { describeError, errnoOf } from '../errors.js';
import type { ClientInternals } from './client-types.js';

/** A slower server would delay every start by more than the browser itself needs. */
const DEADLINE_MS = 10_000;
/** The page has less than 1 MB; after so many bytes the server obviously works, and reading stops. */
const ENOUGH_BYTES = 10 * 1024 * 1024;
/** Status codes below 500 of a server that is only busy or in trouble for a while. */
const PASSING = new Set([408, 425, 429]);
const MAX_ADDRESS = 200;

/** Why a server does not give WhatsApp's page. */
export interface RemotePageFault {
  /** The address without credentials and query. */
  readonly address: string;
  readonly why: string;
  /** Whether it stays until somebody changes something. */
  readonly isFinal: boolean;
}

/**
 * Asks the server of a remote web cache for WhatsApp's page, as whatsapp-web.js will do next (RemoteWebCache.js).
 * whatsapp-web.js waits for the page without a deadline and does not report an error.
 *
 * @returns `undefined` when the page comes, and when that can't be found out
 * @throws the signal's reason
 */
export async function faultOfRemotePage(
  { remotePath, version }: { readonly remotePath: unknown; readonly version: unknown },
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<RemotePageFault | undefined> {
  signal.throwIfAborted();
  if (typeof remotePath !== 'string' || remotePath === '') return undefined; // whatsapp-web.js reports this itself
  const asked = remotePath.replace('{version}', () => String(version));
  const url = urlOf(asked);
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    return { address: shown(url, asked), why: 'it is no http or https address', isFinal: true };
  }
  const address = shown(url, asked);
  const ended = new AbortController();
  try {
    const page = withDeadline(clock, DEADLINE_MS, 'its answer', statusOf(url, ended.signal));
    const status = await orAborted(page, signal);
    if (status === undefined) return undefined;
    const isFinal = status < 500 && !PASSING.has(status);
    return { address, why: `HTTP ${status}`, isFinal };
  } catch (error) {
    signal.throwIfAborted();
    const why = reasonOf(error);
    return why === undefined ? undefined : { address, why, isFinal: false };
  } finally {
    ended.abort();
  }
}

/** The address that a client loads WhatsApp's page from, without credentials and query; `undefined`: from WhatsApp. */
export function addressOfRemotePage(options: ClientInternals['options']): string | undefined {
  const { type, remotePath } = options?.webVersionCache ?? {};
  if (type !== 'remote' || typeof remotePath !== 'string') return undefined;
  const asked = remotePath.replace('{version}', () => String(options?.webVersion));
  return shown(urlOf(asked), asked);
}

/** The HTTP status of an answer that is no page; `undefined` when the page came. */
async function statusOf(url: URL, signal: AbortSignal): Promise<number | undefined> {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  const response = await fetch(bare, { headers: credentialsOf(url), signal });
  if (!response.ok) return response.status;
  const reader = response.body?.getReader();
  for (let bytes = 0; reader !== undefined && bytes < ENOUGH_BYTES; ) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
  }
  return undefined;
}

/** Sends an address's credentials as a header, because `fetch()`, unlike the client's own, refuses them in the address. */
function credentialsOf({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const pair = `${decoded(username)}:${decoded(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Why the request failed, if the network or the deadline caused it. If `fetch()` itself refused it, the client's may work. */
function reasonOf(error: unknown): string | undefined {
  const { code, message } = describeError(error);
  if (code === 'TIMEOUT') return message;
  const cause = error instanceof Error ? error.cause : undefined;
  const causeCode = errnoOf(cause);
  if (causeCode === undefined) return undefined;
  const said = describeError(cause).message;
  return said.includes(causeCode) ? said : `${causeCode}: ${said}`;
}

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function shown(url: URL | undefined, asked: string): string {
  // A text that is no valid address may contain a query or credentials anywhere, so only its safe beginning is shown.
  const text =
    url === undefined ? (/^[\w./-]*/.exec(asked)?.[0] ?? '') : `${url.protocol}//${url.host}${url.pathname}`;
  return text.length > MAX_ADDRESS ? `${text.slice(0, MAX_ADDRESS)}…` : text;
}

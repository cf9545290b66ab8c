import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import { refuse, show } from '../options/checks.js';
import { errorResponse, HttpError, notFound } from './errors.js';
import type { SessionHandler } from './handler.js';
import { plainPathOf } from './request-target.js';
import { withSecurityHeaders } from './security-headers.js';

const HIGH_WATER_MARK = 64 * 1024;
/** Responses that are streamed: events, which never end, and downloads, which are large. */
const STREAMED = /^(text\/event-stream|application\/zip)\b/;

/** A request that a body parser of Express may have read already. */
type NodeRequest = IncomingMessage & { readonly body?: unknown };

/** The function that `node:http`, Express 4 and 5, Connect and Polka call. */
export type NodeListener = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => void;

/**
 * Makes a listener for `node:http`, or a middleware for Express 4 and 5: requests for other paths go to `next()`.
 * A body parser in front is fine if it keeps the body in `request.body`: Express's parsers do, Koa's with `patchNode`.
 *
 * @example
 * createServer(toNodeListener(handler)).listen(3000, '127.0.0.1');
 * app.use(toNodeListener(handler)); // Express
 */
export function toNodeListener(handler: SessionHandler): NodeListener {
  if (typeof handler !== 'function') {
    refuse('handler', show(handler), 'what createSessionHandler(session, { auth }) returns');
  }
  return (incoming, outgoing, next) => {
    if (next && !isOurs(handler, incoming)) return next();
    serve(handler, incoming, outgoing).catch(() => outgoing.destroy());
  };
}

function isOurs(handler: SessionHandler, { url = '' }: IncomingMessage): boolean {
  const path = url.startsWith('/') ? plainPathOf(url) : undefined;
  return path !== undefined && handler.matches(path);
}

async function serve(
  handler: SessionHandler,
  incoming: NodeRequest,
  outgoing: ServerResponse,
): Promise<void> {
  await send(await answerTo(handler, incoming), incoming, outgoing);
}

/** Refuses invalid requests here, because making a `Request` would normalize them or throw. */
async function answerTo(handler: SessionHandler, incoming: NodeRequest): Promise<Response> {
  const { url = '', socket } = incoming;
  if (!url.startsWith('/')) return refusal(badRequest('its target is no path'));
  if (plainPathOf(url) === undefined) return refusal(notFound('not found: this path does not exist'));
  // RFC 9112 3.2: a proxy in front may have looked at the other host.
  if (new Set(hostsOf(incoming)).size > 1) return refusal(badRequest('it names two hosts'));
  const request = toRequest(incoming);
  if (!request) return refusal(badRequest('its method or its host is none'));
  const { remoteAddress } = socket;
  return handler(request, remoteAddress === undefined ? {} : { remoteAddress });
}

/** `undefined` for a method or a host that fetch forbids. */
function toRequest(incoming: NodeRequest): Request | undefined {
  const { method = 'GET', url = '/' } = incoming;
  try {
    const scheme = 'encrypted' in incoming.socket ? 'https' : 'http';
    const hasBody = method !== 'GET' && method !== 'HEAD';
    const body = hasBody ? bodyOf(incoming) : null;
    // Concatenated as text, because as a relative URL `//evil/healthz` would name another host.
    return new Request(`${scheme}://${hostOf(incoming)}${url}`, {
      method,
      headers: headersOf(incoming),
      ...(body === null ? {} : { body, duplex: 'half' }),
    } as RequestInit);
  } catch {
    return undefined;
  }
}

/** HTTP/2 requests have no `headersDistinct`, and have headers that `fetch` does not allow (`:path`). */
function headersOf(incoming: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(incoming.headersDistinct ?? incoming.headers)) {
    if (name.startsWith(':')) continue;
    for (const value of [values ?? []].flat()) headers.append(name, value);
  }
  return headers;
}

/** The hosts that the request names; HTTP/2 has a header of its own for it. */
function hostsOf({ headersDistinct, headers }: IncomingMessage): readonly string[] {
  const hosts = headersDistinct?.host ?? [headers.host ?? []].flat();
  return [...hosts, ...[headers[':authority'] ?? []].flat()];
}

function hostOf(incoming: IncomingMessage): string {
  const [host = ''] = hostsOf(incoming);
  return /^[\w.[\]:-]+$/.test(host) ? host : 'localhost';
}

/** Serializes a body again that a parser in front has already read. */
function bodyOf(incoming: NodeRequest): ReadableStream<Uint8Array> | string | Uint8Array {
  if (!incoming.readableDidRead) return Readable.toWeb(incoming) as ReadableStream<Uint8Array>;
  const { body, headers } = incoming;
  if (typeof body === 'string' || body instanceof Uint8Array) return body;
  if (body === undefined || body === null) return hadBody(incoming) ? keptElsewhere() : '';
  const isForm = headers['content-type']?.toLowerCase().startsWith('application/x-www-form-urlencoded');
  return isForm ? new URLSearchParams(body as Record<string, string>).toString() : JSON.stringify(body);
}

function hadBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * Fails for a body that Koa's parser keeps in its own object. It fails only when the body is read, so that a caller who
 * is not allowed is refused first.
 */
function keptElsewhere(): ReadableStream<Uint8Array> {
  const why =
    'the body was read in front of the handler, and is not in request.body: put the handler before the body parser, or ' +
    'let the parser leave it there (@koa/bodyparser: patchNode: true)';
  return new ReadableStream({ start: (controller) => controller.error(new HttpError(500, 'INTERNAL', why)) });
}

async function send(response: Response, incoming: NodeRequest, outgoing: ServerResponse): Promise<void> {
  // The client may have left meanwhile: a response that is closed before it begins emits no event. And middleware with
  // its own deadline may have answered already.
  if (outgoing.destroyed || outgoing.headersSent) {
    await response.body?.cancel();
    return;
  }
  outgoing.statusCode = response.status;
  for (const [name, value] of response.headers) {
    if (name !== 'set-cookie') outgoing.setHeader(name, value);
  }
  const cookies = response.headers.getSetCookie();
  // Appended, to keep the cookies of middleware in front.
  if (cookies.length > 0) outgoing.appendHeader('set-cookie', cookies);
  // A refused body is not read to its end, so no further request can use this connection.
  if (!incoming.complete && incoming.httpVersionMajor < 2) outgoing.setHeader('connection', 'close');
  if (response.body === null) {
    outgoing.end();
    return;
  }
  if (!STREAMED.test(response.headers.get('content-type') ?? '')) {
    // Sent at once, because streams would cost more than this short answer itself.
    outgoing.end(Buffer.from(await response.arrayBuffer()));
    return;
  }
  outgoing.flushHeaders();
  const body = response.body as NodeReadableStream<Uint8Array>;
  // Sends as fast as the client reads; if the client leaves or the stream fails, both end.
  await pipeline(Readable.fromWeb(body, { highWaterMark: HIGH_WATER_MARK }), outgoing);
}

function badRequest(why: string): HttpError {
  return new HttpError(400, 'INVALID_REQUEST', `this is no request that can be answered: ${why}`);
}

/** A refusal with the headers that every answer of the handler has. */
function refusal(error: HttpError): Response {
  return withSecurityHeaders(errorResponse(error, (text) => text));
}

import { type Clock, withDeadline } from '../clock.js';
import { isSessionError } from '../errors.js';
import { HttpError } from './errors.js';

/** Room for a message of 4096 characters, all written as JSON escapes, and for the other fields. */
const MAX_BYTES = 32 * 1024;

export interface BodyRules {
  readonly clock: Clock;
  readonly deadlineMs: number;
}

/** The fields of a body as they were sent; their values are not checked yet. */
export type Fields = ReadonlyMap<string, unknown>;

/**
 * Reads a JSON object into a map, so that a field named `__proto__` is an ordinary field.
 *
 * @throws HttpError 400, 408, 413 or 415
 */
export async function readJsonFields(request: Request, rules: BodyRules): Promise<Fields> {
  assertType(request, ['application/json']);
  return parseJson(await readText(request, rules));
}

/**
 * Reads a JSON object or a form.
 *
 * @throws HttpError 400, 408, 413 or 415
 */
export async function readFields(request: Request, rules: BodyRules): Promise<Fields> {
  assertType(request, ['application/json', 'application/x-www-form-urlencoded']);
  const text = await readText(request, rules);
  return isForm(request) ? new Map(new URLSearchParams(text)) : parseJson(text);
}

/** Whether the body is a form, which a page without a script sends. */
export function isForm(request: Request): boolean {
  return mediaType(request) === 'application/x-www-form-urlencoded';
}

function parseJson(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new HttpError(400, 'INVALID_JSON', 'the body is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HttpError(400, 'INVALID_REQUEST', 'the body must be a JSON object');
  }
  return new Map(Object.entries(value));
}

function assertType(request: Request, accepted: readonly string[]): void {
  const encoding = request.headers.get('content-encoding') ?? 'identity';
  if (accepted.includes(mediaType(request)) && encoding.toLowerCase() === 'identity') return;
  throw new HttpError(
    415,
    'UNSUPPORTED_MEDIA_TYPE',
    `the body must be ${accepted.join(' or ')}, not compressed`,
  );
}

function mediaType(request: Request): string {
  return (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

async function readText(request: Request, { clock, deadlineMs }: BodyRules): Promise<string> {
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BYTES) throw tooLarge();
  if (request.body === null) return '';
  if (request.bodyUsed) throw new Error('the body was read before the handler got the request');
  const reader = request.body.getReader();
  try {
    return await withDeadline(clock, deadlineMs, 'the body', readAll(reader));
  } catch (error) {
    reader.cancel().catch(() => undefined);
    if (isSessionError(error) && error.code === 'TIMEOUT') {
      throw new HttpError(408, 'REQUEST_TIMEOUT', `the body took longer than ${deadlineMs} ms`);
    }
    if (error instanceof HttpError) throw error;
    throw new HttpError(400, 'INVALID_REQUEST', 'the body could not be read as UTF-8 to its end');
  }
}

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > MAX_BYTES) throw tooLarge();
    chunks.push(value);
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
}

function tooLarge(): HttpError {
  return new HttpError(413, 'PAYLOAD_TOO_LARGE', `the body must not be longer than ${MAX_BYTES} bytes`);
}

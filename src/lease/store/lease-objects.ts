import { isSessionError, StoreError } from '../../errors.js';
import type { Fence, SessionStore } from '../../stores/session-store.js';
import { isLeaseHolder, type LeaseHolder } from '../lease-record.js';

/** Begins the keys of all leases. No client id begins with a dot, so these keys meet no others. */
export const LEASES = '.leases/';
/** Begins the keys of all processes. */
export const PROCESSES = '.processes/';

/** The object of a session's lease. */
export function leaseKey(clientId: string): string {
  return `${LEASES}${clientId}.json`;
}

/** The object in which a process shows that it lives, for all its sessions at once. */
export function processKey(token: string): string {
  return `${PROCESSES}${token}.json`;
}

/** The lease of one session: who has it, and under which fencing number. */
export interface SessionLeaseRecord {
  readonly format: 1;
  readonly generation: number;
  /** Identifies this one acquisition. Unique, not secret. */
  readonly token: string;
  /** The token of the {@link ProcessRecord} that shows whether the owner lives. */
  readonly process: string;
  readonly holder: LeaseHolder;
  readonly released: boolean;
  /** Wall clock of the last change, ISO 8601, for people who read the object. */
  readonly at: string;
}

/** The sign of life of a process. */
export interface ProcessRecord {
  readonly format: 1;
  readonly token: string;
  readonly holder: LeaseHolder;
  /** Counts the signs of life, and makes each object differ from the one before. */
  readonly beat: number;
  /** Without a new sign for this long the process counts as dead, ms. */
  readonly takeoverMs: number;
  /**
   * - `alive`: as far as it knows itself
   * - `dead`: another process has watched it stand still. It has to claim all its leases anew.
   */
  readonly state: 'alive' | 'dead';
  readonly at: string;
}

/** An object as it was read: its record, unless it is damaged or of a newer format. */
export interface Seen<Record> {
  readonly version: string;
  readonly modifiedAt: Date;
  readonly record: Record | undefined;
  /** Whether a newer version of the library wrote it in a format that is unknown here. */
  readonly isNewer: boolean;
}

/** Far above any real number of owners, and far below where adding one stops working. */
const MAX_GENERATION = 2 ** 50;
/** The token of a process is a part of a key. */
const TOKEN = /^[\w-]{1,64}$/;
/** Far above any record, bytes. */
const MAX_BYTES = 8 * 1024;

export async function readLease(
  store: SessionStore,
  clientId: string,
  signal?: AbortSignal,
): Promise<Seen<SessionLeaseRecord> | undefined> {
  return readLeaseAt(store, leaseKey(clientId), signal);
}

export async function readLeaseAt(
  store: SessionStore,
  key: string,
  signal?: AbortSignal,
): Promise<Seen<SessionLeaseRecord> | undefined> {
  return readObject(store, key, decodeLease, signal);
}

export async function readProcess(
  store: SessionStore,
  token: string,
  signal?: AbortSignal,
): Promise<Seen<ProcessRecord> | undefined> {
  return readObject(store, processKey(token), decodeProcess, signal);
}

/**
 * Puts a record where nothing (`undefined`) or this version is. Returns the new version; `undefined` where another process
 * was first.
 *
 * @throws StoreError when the store fails, or keeps no conditions; LeaseLostError when the fence refuses it
 */
export async function putRecord(
  store: SessionStore,
  key: string,
  record: SessionLeaseRecord | ProcessRecord,
  expected: string | undefined,
  options: { readonly signal?: AbortSignal | undefined; readonly fence?: Fence | undefined } = {},
): Promise<string | undefined> {
  const { signal, fence } = options;
  const bytes = Buffer.from(`${JSON.stringify(record)}\n`);
  const condition = expected === undefined ? { ifAbsent: true } : { ifVersion: expected };
  const given = { ...condition, ...(signal && { signal }), ...(fence && { fence }), size: bytes.length };
  try {
    return (await store.put(key, bytes, given)).version;
  } catch (error) {
    if (isSessionError(error) && error.code === 'STORE_CONFLICT') return undefined;
    throw error;
  }
}

/**
 * Puts a lease like {@link putRecord}. Returns the version also where only the answer was lost: a put that failed, or that met a
 * value, may have been done.
 *
 * A lease that is claimed begins its fencing number in the very put, where the store keeps fences. So nobody else can begin
 * the same one, even if the object has been removed, and from that moment the store refuses what an earlier owner lists.
 */
export async function putLease(
  { store, clientId }: { readonly store: SessionStore; readonly clientId: string },
  record: SessionLeaseRecord,
  expected: string | undefined,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const isClaim = !record.released && store.capabilities.fencedPut === true;
  const fence = isClaim ? { name: clientId, generation: record.generation, isNew: true } : undefined;
  const failures: unknown[] = [];
  const put = putRecord(store, leaseKey(clientId), record, expected, { signal, fence });
  const version = await put.catch((error: unknown) => void failures.push(error));
  if (version !== undefined) return version;
  const now = (await readLease(store, clientId).catch(() => undefined)) ?? undefined;
  const isOurs = now?.record?.token === record.token && now.record.released === record.released;
  if (isOurs) return now.version;
  if (failures.length > 0) throw failures[0];
  return undefined;
}

/** Reads a small object. `decode` gets `undefined` for one that is no JSON. */
export async function readObject<Record>(
  store: SessionStore,
  key: string,
  decode: (value: unknown) => Record | undefined,
  signal?: AbortSignal,
): Promise<Seen<Record> | undefined> {
  const found = await store.get(key, { ...(signal && { signal }) });
  if (found === undefined) return undefined;
  const { version, modifiedAt, size } = found.info;
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of found.body) {
    const bytes: Uint8Array = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    parts.push(bytes);
    length += bytes.length;
    if (length > MAX_BYTES) break; // breaking out destroys the body
  }
  if (length < Math.min(size, MAX_BYTES)) throw new StoreError(`${store.name} did not send all of ${key}`);
  const value = parse(Buffer.concat(parts).toString('utf8'));
  const isNewer = isObject(value) && typeof value.format === 'number' && value.format > 1;
  return { version, modifiedAt, record: decode(value), isNewer };
}

function decodeLease(value: unknown): SessionLeaseRecord | undefined {
  if (!isObject(value) || value.format !== 1 || !isLeaseHolder(value.holder)) return undefined;
  const { generation, token, process, holder, released, at } = value;
  if (!Number.isSafeInteger(generation) || Number(generation) < 1 || Number(generation) > MAX_GENERATION) {
    return undefined;
  }
  if (typeof token !== 'string' || typeof process !== 'string' || !TOKEN.test(process)) return undefined;
  if (typeof released !== 'boolean') return undefined;
  return { format: 1, generation: Number(generation), token, process, holder, released, at: String(at) };
}

function decodeProcess(value: unknown): ProcessRecord | undefined {
  if (!isObject(value) || value.format !== 1 || !isLeaseHolder(value.holder)) return undefined;
  const { token, holder, beat, takeoverMs, state, at } = value;
  if (typeof token !== 'string' || !Number.isSafeInteger(beat) || !Number.isSafeInteger(takeoverMs))
    return undefined;
  if (state !== 'alive' && state !== 'dead') return undefined;
  return {
    format: 1,
    token,
    holder,
    beat: Number(beat),
    takeoverMs: Number(takeoverMs),
    state,
    at: String(at),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

import { createHash } from 'node:crypto';
import { SnapshotCorruptError } from '../../errors.js';
import type { PlaceLogin } from '../repository.js';

/** A mark of a pairing, with its reason. */
export interface LineageMark {
  readonly lineage: string;
  readonly cause: string;
  /** ISO 8601. */
  readonly at: string;
  /** The client id that has taken the login over; see `Hold`. */
  readonly by?: string;
}

/** The marks of the pairings of one client id. */
export interface LineageMarks {
  /** Those that were logged out. */
  readonly revoked: readonly LineageMark[];
  /** Those that are restored nowhere until a person asks. */
  readonly held: readonly LineageMark[];
  /** Those that no other place takes for its own. */
  readonly heldElsewhere: readonly LineageMark[];
  /** Those that a `clear()` has deleted. */
  readonly cleared: readonly LineageMark[];
}

/** When every byte of a snapshot was last compared. Losing it loses no data. */
export interface Verification {
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
}

/** An object that no snapshot needed when the owner of the session looked. */
export interface DoomedObject {
  readonly key: string;
  readonly version: string;
  /** Since when, ISO 8601. */
  readonly at: string;
}

/** What the state object of one client id in one store says. */
export interface StoreState {
  readonly marks: LineageMarks;
  readonly verified: readonly Verification[];
  readonly doomed: readonly DoomedObject[];
  /** Which login belongs to which place; one entry for each place. */
  readonly places: readonly PlaceLogin[];
  /** Sections that only a newer version of this library knows: they are kept as they are. */
  readonly others: Readonly<Record<string, unknown>>;
}

export const NO_MARKS: LineageMarks = { revoked: [], held: [], heldElsewhere: [], cleared: [] };
export const NO_STATE: StoreState = { marks: NO_MARKS, verified: [], places: [], doomed: [], others: {} };
/** Far more than any session has: some ten thousand pairings. */
export const MAX_STATE_BYTES = 4 * 1024 * 1024;

/** More places than a bot has in a year of releases in ever new folders. */
const MAX_PLACES = 100;

const MARK_KINDS = ['revoked', 'held', 'heldElsewhere', 'cleared'] as const satisfies (keyof LineageMarks)[];
/** A lineage, the id of a snapshot, or a cause. */
const NAME = /^[A-Za-z0-9][-\w.]{0,199}$/;

/** The bytes of a state, with a SHA-256 over all the rest. */
export function serializeState({ marks, verified, places, doomed, others }: StoreState): Uint8Array {
  const body = { ...others, format: 1, marks, verified, places, doomed };
  return Buffer.from(`${JSON.stringify({ ...body, checksum: sha256(JSON.stringify(body)) })}\n`);
}

/**
 * Reads a state without trusting it.
 *
 * @throws SnapshotCorruptError that names what is wrong
 */
export function parseState(bytes: Uint8Array): StoreState {
  if (bytes.length > MAX_STATE_BYTES) return refuse('it is larger than any honest one');
  const { checksum, ...body } = parseObject(bytes);
  if (checksum !== checksumOf(body)) return refuse('it does not match its checksum');
  const { format, marks, verified, places, doomed, ...others } = body;
  if (format !== 1) return refuse(`its format is ${String(format).slice(0, 20)}, not 1`);
  const lists = isObject(marks) ? marks : refuse('it has no marks');
  return {
    marks: Object.fromEntries(
      MARK_KINDS.map((kind) => [kind, marksOf(lists[kind])]),
    ) as unknown as LineageMarks,
    verified: listOf(verified).map(({ id, at }) => ({ id: nameOf(id), at: timeOf(at) })),
    doomed: listOf(doomed).map(({ key, version, at }) => ({
      key: textOf(key),
      version: textOf(version),
      at: timeOf(at),
    })),
    places: listOf(places).map(placeLoginOf),
    others,
  };
}

/** Notes which login belongs to a place, in place of what was noted there before. The oldest of too many are dropped. */
export function withPlaceLogin(places: readonly PlaceLogin[], login: PlaceLogin): readonly PlaceLogin[] {
  const others = places.filter(({ place }) => place !== login.place);
  const newestFirst = [...others, login].sort((a, b) => (a.since < b.since ? 1 : a.since > b.since ? -1 : 0));
  return newestFirst.slice(0, MAX_PLACES);
}

/** Adds a mark; the first one of a lineage is kept, because a later cause only follows from the first. */
export function withMark(marks: LineageMarks, kind: keyof LineageMarks, mark: LineageMark): LineageMarks {
  if (hasMark(marks, kind, mark.lineage)) return marks;
  return { ...marks, [kind]: [...marks[kind], mark] };
}

/** Takes the marks of these kinds away from a lineage. */
export function withoutMarks(
  marks: LineageMarks,
  kinds: readonly (keyof LineageMarks)[],
  lineage: string,
): LineageMarks {
  const marked = kinds.filter((kind) => hasMark(marks, kind, lineage));
  if (marked.length === 0) return marks;
  const left = marked.map((kind) => [kind, marks[kind].filter((mark) => mark.lineage !== lineage)]);
  return { ...marks, ...Object.fromEntries(left) };
}

function hasMark(marks: LineageMarks, kind: keyof LineageMarks, lineage: string): boolean {
  return marks[kind].some((mark) => mark.lineage === lineage);
}

function marksOf(value: unknown): readonly LineageMark[] {
  return listOf(value).map(({ lineage, cause, at, by }) => ({
    lineage: nameOf(lineage),
    cause: nameOf(cause),
    at: timeOf(at),
    ...(by !== undefined && { by: textOf(by) }),
  }));
}

function placeLoginOf({ place, lineage, since }: Readonly<Record<string, unknown>>): PlaceLogin {
  const login = lineage === undefined ? {} : { lineage: nameOf(lineage) };
  return { place: nameOf(place), since: timeOf(since), ...login };
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(value)) return refuse('a list is missing');
  return value.map((item: unknown) => (isObject(item) ? item : refuse('an entry of a list is none')));
}

function nameOf(value: unknown): string {
  return typeof value === 'string' && NAME.test(value) ? value : refuse('a name in it is none');
}

/** The key of an object, or its version, which is opaque. */
function textOf(value: unknown): string {
  return typeof value === 'string' && value.length <= 2000 ? value : refuse('a text in it is none');
}

function timeOf(value: unknown): string {
  const isTime = typeof value === 'string' && value.length <= 30 && !Number.isNaN(Date.parse(value));
  return isTime ? value : refuse('a time in it is none');
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (isObject(value)) return value;
  } catch (cause) {
    throw new SnapshotCorruptError('the marks of the logins are damaged: torn or overwritten', { cause });
  }
  return refuse('it is no JSON object');
}

/** Sections of a newer version are part of it, and may be nested more deeply than can be serialized. */
function checksumOf(body: Readonly<Record<string, unknown>>): string {
  try {
    return sha256(JSON.stringify(body));
  } catch (cause) {
    throw new SnapshotCorruptError('the marks of the logins are damaged: nested too deeply', { cause });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function refuse(why: string): never {
  throw new SnapshotCorruptError(`the marks of the logins are damaged: ${why}`);
}

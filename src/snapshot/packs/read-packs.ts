import type { SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import { mapLimited } from '../concurrency.js';
import { isDamage } from '../store-calls/read-faults.js';
import { missingObject, objectBytes } from '../store-calls/store-bytes.js';
import { type PackedContent, type PackRun, planRuns, type RunPiece } from './pack-runs.js';

const CONCURRENCY = 3;
/** Contents in several pieces are put together in memory up to so many bytes; beyond, each piece is a call of its own. */
const MOST_ASSEMBLED_BYTES = 16 * 1024 * 1024;

export interface PackReading {
  readonly store: SessionStore;
  /** The key of a pack. */
  readonly keyOf: (pack: string) => string;
  /**
   * Called once for each content. What is delivered is not compared with anything: too few bytes, other bytes, or a
   * SnapshotCorruptError where the pack is missing. It rejects only if nothing more is to be read.
   */
  readonly consume: (content: PackedContent, bytes: AsyncIterable<Uint8Array>) => Promise<void>;
}

/** Reads contents out of packs, of each pack what is needed in as few calls as it takes. */
export async function readPacked(
  contents: readonly PackedContent[],
  reading: PackReading,
  options: StoreCallOptions,
): Promise<void> {
  const assemblies = new Map<PackedContent, Assembly>();
  const consumePiece = async (piece: RunPiece, bytes: AsyncIterable<Uint8Array>): Promise<void> => {
    const { content } = piece;
    if (content.place.length === 1) return reading.consume(content, bytes);
    const assembly = assemblies.get(content) ?? new Assembly(content);
    assemblies.set(content, assembly);
    if (!(await assembly.add(piece, bytes))) return;
    assemblies.delete(content);
    await reading.consume(content, assembly.bytes());
  };
  const { together, apart } = divide(contents);
  await mapLimited(planRuns(together), CONCURRENCY, (run) => readRun(run, reading, consumePiece, options));
  await mapLimited(apart, CONCURRENCY, (content) =>
    reading.consume(content, piecesInOrder(content, reading, options)),
  );
}

/**
 * Those contents that are read together with what else lies in their packs, and those whose pieces are read one after the
 * other, because all would not fit into memory. What has the most pieces in packs of its own comes apart first: it costs no
 * further call.
 */
function divide(contents: readonly PackedContent[]): Record<'together' | 'apart', readonly PackedContent[]> {
  const users = new Map<string, Set<PackedContent>>();
  for (const content of contents) {
    for (const { pack } of content.place) users.set(pack, (users.get(pack) ?? new Set()).add(content));
  }
  const shared = ({ place }: PackedContent) =>
    place.filter(({ pack }) => (users.get(pack)?.size ?? 0) > 1).length;
  const pieced = contents.filter(({ place }) => place.length > 1);
  const apart = new Set<PackedContent>();
  let bytes = 0;
  for (const content of [...pieced].sort((a, b) => shared(b) - shared(a))) {
    if (bytes + content.size > MOST_ASSEMBLED_BYTES) apart.add(content);
    else bytes += content.size;
  }
  return { together: contents.filter((content) => !apart.has(content)), apart: [...apart] };
}

async function* piecesInOrder(
  { path, place }: PackedContent,
  { store, keyOf }: PackReading,
  { signal }: StoreCallOptions,
): AsyncGenerator<Uint8Array> {
  for (const { pack, at, length } of place) {
    const range = { offset: at, length };
    yield* objectBytes(store, keyOf(pack), path, { range, ...(signal && { signal }) });
  }
}

async function readRun(
  run: PackRun,
  { store, keyOf }: PackReading,
  consume: (piece: RunPiece, bytes: AsyncIterable<Uint8Array>) => Promise<void>,
  { signal }: StoreCallOptions,
): Promise<void> {
  const what = run.pieces[0]?.content.path ?? run.pack;
  const range = { offset: run.at, length: run.length };
  const source = objectBytes(store, keyOf(run.pack), what, { range, ...(signal && { signal }) });
  const cursor = new Cursor(source, run.at);
  try {
    for (const piece of run.pieces) {
      await cursor.skipTo(piece.at);
      await consume(piece, cursor.upTo(piece.at + piece.length, piece.content.path));
    }
  } finally {
    await source.return(undefined);
  }
}

/** Gives a stream out in parts. A pack that is missing is a damage of each of its contents, not of the reading. */
class Cursor {
  readonly #source: AsyncGenerator<Uint8Array>;
  #position: number;
  #left: Uint8Array = new Uint8Array();
  #isMissing = false;

  constructor(source: AsyncGenerator<Uint8Array>, position: number) {
    this.#source = source;
    this.#position = position;
  }

  async skipTo(position: number): Promise<void> {
    while (this.#position < position && (await this.#read(position)) !== undefined);
  }

  /**
   * The bytes from here on; fewer if the stream ends before.
   *
   * @param what the file that they are of
   */
  async *upTo(end: number, what: string): AsyncGenerator<Uint8Array> {
    while (this.#position < end) {
      const bytes = await this.#read(end);
      if (this.#isMissing) throw missingObject(what);
      if (bytes === undefined) return;
      yield bytes;
    }
  }

  async #read(end: number): Promise<Uint8Array | undefined> {
    if (this.#left.length === 0) {
      const next = await this.#next();
      if (next === undefined) return undefined;
      this.#left = next;
    }
    const piece = this.#left.subarray(0, end - this.#position);
    this.#left = this.#left.subarray(piece.length);
    this.#position += piece.length;
    return piece;
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (this.#isMissing) return undefined;
    try {
      const { done, value } = await this.#source.next();
      return done ? undefined : value;
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#isMissing = true;
      return undefined;
    }
  }
}

/** A content that lies in several pieces, put together in memory; see {@link MOST_ASSEMBLED_BYTES}. */
class Assembly {
  readonly #buffer: Buffer;
  #missing: number;
  #damage: unknown;

  constructor(content: PackedContent) {
    this.#buffer = Buffer.alloc(content.size);
    this.#missing = content.place.length;
  }

  /** Whether this was the last piece that was missing. */
  async add({ from }: RunPiece, bytes: AsyncIterable<Uint8Array>): Promise<boolean> {
    let received = 0;
    try {
      for await (const chunk of bytes) {
        this.#buffer.set(chunk, from + received);
        received += chunk.length;
      }
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#damage = error;
    }
    this.#missing -= 1; // not before, because other pieces are read at the same time
    return this.#missing === 0;
  }

  async *bytes(): AsyncGenerator<Uint8Array> {
    if (this.#damage !== undefined) throw this.#damage;
    yield this.#buffer;
  }
}

import { StoreError } from '../../errors.js';
import type { Connections, Statement } from './connections.js';

/** Measured as the best for `bytea`: smaller ones cost more statements, and larger ones more memory and time. */
export const CHUNK_BYTES = 256 * 1024;
/** So that a server that is far away does not cost a round trip for each chunk. */
const CHUNKS_A_STATEMENT = 4;
const STATEMENTS_AT_ONCE = 3;

export interface Upload {
  readonly schema: string;
  readonly key: string;
  /** The set of chunks, which nobody sees until it is published. */
  readonly setId: string;
  readonly signal?: AbortSignal | undefined;
}

/** Cuts bytes into chunks of {@link CHUNK_BYTES}, the last one shorter. They are copies: a source may use its buffer again. */
export async function* inChunks(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, void> {
  let chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let filled = 0;
  for await (const piece of pieces) {
    for (let taken = 0; taken < piece.byteLength; ) {
      const some = piece.subarray(taken, taken + CHUNK_BYTES - filled);
      chunk.set(some, filled);
      filled += some.byteLength;
      taken += some.byteLength;
      if (filled < CHUNK_BYTES) continue;
      yield chunk;
      chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}

/** Writes the chunks of a large object; returns their bytes. Each statement stands alone, so nothing waits for the source. */
export async function writeChunks(
  connections: Connections,
  upload: Upload,
  chunks: AsyncIterable<Buffer>,
): Promise<number> {
  const inFlight = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let bytes = 0;
  let next = 0;
  let some: Buffer[] = [];

  /** The first statement is waited for: what has chunks must be known as an upload, or nobody would ever sweep it. */
  async function write(): Promise<void> {
    const statement = insertOf(upload, next, some);
    const isFirst = next === 0;
    next += some.length;
    some = [];
    const writing = connections.run(statement, upload.signal).then((rows) => {
      if (rows.length === 0) throw sweptError(upload.key);
    });
    if (isFirst) return writing;
    const watched: Promise<void> = writing
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => inFlight.delete(watched));
    inFlight.add(watched);
    if (inFlight.size >= STATEMENTS_AT_ONCE) await Promise.race(inFlight);
  }

  try {
    for await (const chunk of chunks) {
      if (failure !== undefined) throw failure.error;
      some.push(chunk);
      bytes += chunk.length;
      if (some.length === CHUNKS_A_STATEMENT) await write();
    }
    if (some.length > 0) await write();
  } finally {
    await Promise.all(inFlight);
  }
  if (failure !== undefined) throw failure.error;
  return bytes;
}

/** The error of a put that took so long that its chunks were swept as those of a dead writer. */
export function sweptError(key: string): StoreError {
  return new StoreError(`the chunks of "${key}" were swept while it was being put`);
}

function insertOf({ schema, setId }: Upload, from: number, chunks: readonly Buffer[]): Statement {
  const s = `"${schema}"`;
  const upload =
    from === 0
      ? `INSERT INTO ${s}.uploads (set_id) VALUES ($1::uuid) RETURNING set_id`
      : `SELECT set_id FROM ${s}.uploads WHERE set_id = $1::uuid FOR KEY SHARE`;
  const rows = chunks.map((_, index) => `($${2 * index + 2}::integer, $${2 * index + 3}::bytea)`);
  return {
    text:
      `WITH upload AS (${upload}) INSERT INTO ${s}.chunks (set_id, no, bytes) ` +
      `SELECT upload.set_id, v.no, v.bytes FROM (VALUES ${rows.join(', ')}) AS v (no, bytes), upload ` +
      'RETURNING no::text',
    values: [setId, ...chunks.flatMap((chunk, index) => [from + index, chunk])],
  };
}

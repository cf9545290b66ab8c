import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { StoreError } from '../../errors.js';
import { chunksOf, throwIfAborted } from '../body.js';
import { assertNotFencedOff, conflict } from '../conditions.js';
import type { Fence, PutOptions, PutResult } from '../session-store.js';
import { CHUNK_BYTES, inChunks, sweptError, writeChunks } from './chunk-writer.js';
import type { Connections, Row } from './connections.js';
import { isLostConnection } from './faults.js';
import { infoOf, type ReadStatements } from './objects.js';
import type { Reclaimer } from './reclaimer.js';

/** A value of at most this many chunks (4 MB) is one statement, and so one round trip. */
const MOST_INLINE_CHUNKS = 16;
/** From this size on a value waits for the room that is just being made free, instead of taking new one. */
const LARGE_BYTES = 1024 * 1024;
/** Larger ones are not hashed by the server, which would have them in memory twice. */
const MOST_HASHED_BYTES = 32 * 1024 * 1024;

export interface PublisherTools {
  readonly schema: string;
  readonly connections: Connections;
  readonly reads: ReadStatements;
  readonly reclaimer: Reclaimer;
}

/**
 * Puts a value: first its chunks, which nobody sees, then one statement that compares everything and makes it visible. A
 * value of a few chunks comes with that statement.
 */
export class Publisher {
  readonly #tools: PublisherTools;

  constructor(tools: PublisherTools) {
    this.#tools = tools;
  }

  async put(key: string, body: Uint8Array | Readable, options: PutOptions): Promise<PutResult> {
    const { signal } = options;
    const setId = randomUUID();
    const chunks = inChunks(chunksOf(key, body, options));
    const first: Buffer[] = [];
    let isWhole = false;
    while (!isWhole && first.length <= MOST_INLINE_CHUNKS) {
      const { done, value } = await chunks.next();
      if (done) isWhole = true;
      else first.push(value);
    }
    if (isWhole) {
      const bytes = Buffer.concat(first);
      if (bytes.length >= LARGE_BYTES) await this.#tools.reclaimer.settle();
      return this.#publish(key, setId, bytes.length, bytes, options);
    }
    const { connections, reclaimer, schema } = this.#tools;
    try {
      await reclaimer.settle();
      const upload = { schema, key, setId, signal };
      const size = await writeChunks(connections, upload, all(first, chunks));
      return await this.#publish(key, setId, size, undefined, options);
    } catch (error) {
      this.#discard(setId);
      throw error;
    }
  }

  async #publish(
    key: string,
    setId: string,
    size: number,
    bytes: Buffer | undefined,
    options: PutOptions,
  ): Promise<PutResult> {
    const { connections, schema, reclaimer } = this.#tools;
    const { signal, ifAbsent = false, ifVersion, fence, digest } = options;
    const sha256 = size <= MOST_HASHED_BYTES ? digest?.sha256 : undefined;
    const verified = sha256 === undefined ? {} : ({ verifiedBy: 'server' } as const);
    const statement = {
      text:
        `SELECT outcome, detail, modified, freed FROM "${schema}".publish($1, $2::uuid, $3::bigint, $4::integer, ` +
        "$5::bytea, decode($6, 'hex'), $7::boolean, $8, $9, $10::bigint)",
      values: [
        ...[key, setId, size, CHUNK_BYTES, bytes ?? null, sha256 ?? null],
        ...[ifAbsent, ifVersion ?? null, fence?.name ?? null, generationOf(fence)],
      ],
    };
    let rows: readonly Row[];
    try {
      rows = await connections.run(statement, signal);
    } catch (error) {
      throwIfAborted(signal);
      const found = isLostConnection(error) ? await this.#published(key, setId, signal) : undefined;
      if (found === undefined) throw error;
      return { ...found, ...verified };
    }
    const [{ outcome, detail, modified, freed } = {} as Row] = rows;
    reclaimer.count(Number(freed ?? 0));
    if (outcome !== 'done') throw refusalOf(key, outcome, options, Number(detail));
    return { key, size, version: setId, modifiedAt: new Date(Number(modified)), ...verified };
  }

  /** Whether a put whose answer was lost has been done: nobody else has its version. */
  async #published(
    key: string,
    setId: string,
    signal: AbortSignal | undefined,
  ): Promise<PutResult | undefined> {
    const { connections, reads } = this.#tools;
    const [row] = await connections.read(reads.head(key), signal).catch(() => []);
    throwIfAborted(signal);
    return row?.version === setId ? infoOf(row) : undefined;
  }

  /** Drops chunks that will never be published; if the server can't be reached now, they are swept later. */
  #discard(setId: string): void {
    const { connections, reclaimer, schema } = this.#tools;
    const text = `SELECT freed FROM "${schema}".discard($1::uuid)`;
    connections.background({ text, values: [setId] }, ([row]) => reclaimer.count(Number(row?.freed ?? 0)));
  }
}

/** Negative if it is new. */
function generationOf(fence: Fence | undefined): number | null {
  if (fence === undefined) return null;
  return fence.isNew === true ? -fence.generation : fence.generation;
}

async function* all(
  first: readonly Buffer[],
  rest: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, void> {
  try {
    yield* first;
    yield* rest;
  } finally {
    // Left before it came to the rest, the source would stay open.
    await (rest as AsyncGenerator<Buffer>).return?.(undefined);
  }
}

function refusalOf(
  key: string,
  outcome: string | null | undefined,
  { fence }: PutOptions,
  highest: number,
): Error {
  switch (outcome) {
    case 'exists':
      return conflict(key, 'is there already');
    case 'gone':
      return conflict(key, 'is not there any more');
    case 'changed':
      return conflict(key, 'was changed meanwhile');
    case 'fenced':
      if (fence !== undefined) assertNotFencedOff(key, fence, highest);
      break;
    case 'digest':
      return new StoreError(
        `the server has received other bytes of "${key}" than those of the announced digest`,
      );
    case 'torn':
      return new StoreError(`the server has received "${key}" in part`);
    case 'swept':
      return sweptError(key);
  }
  return new StoreError(`the database answered a put of "${key}" with ${JSON.stringify(outcome)}`, {
    retryable: false,
  });
}

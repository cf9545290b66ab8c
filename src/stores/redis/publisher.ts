import { createHash, randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { type Clock, resultWithin } from '../../clock.js';
import { StoreError } from '../../errors.js';
import { chunksOf, throwIfAborted } from '../body.js';
import { assertNotFencedOff, conflict } from '../conditions.js';
import type { Fence, PutOptions, PutResult } from '../session-store.js';
import { chunkBody } from './chunk-body.js';
import { CHUNK_BYTES, inChunks, sweptError, writeChunks } from './chunk-writer.js';
import type { Connection } from './connection.js';
import { isLostConnection } from './faults.js';
import { buffersOf, damagedError, entryOf, expected, GRACE_MS, listOf } from './objects.js';
import { DISCARD, HEAD, PUBLISH, READ_ON } from './scripts.js';

/** A value of at most this many chunks (1 MB) comes with the publishing script, and so is one round trip. */
const MOST_INLINE_CHUNKS = 4;
/** How long it is tried to drop an upload that failed; later the server drops it by itself, ms. */
const DISCARD_MS = 5_000;

export interface PublisherTools {
  readonly base: string;
  readonly clock: Clock;
  readonly connection: Connection;
}

/**
 * Puts a value: first its chunks, which nobody sees, then one script that compares everything and makes it visible. With a
 * digest the chunks are read back in between.
 */
export class Publisher {
  readonly #tools: PublisherTools;

  constructor(tools: PublisherTools) {
    this.#tools = tools;
  }

  async put(key: string, body: Uint8Array | Readable, options: PutOptions): Promise<PutResult> {
    const { digest, signal } = options;
    const version = randomUUID();
    const chunks = inChunks(chunksOf(key, body, options));
    const first: Buffer[] = [];
    let isWhole = false;
    while (!isWhole && first.length <= MOST_INLINE_CHUNKS) {
      const { done, value } = await chunks.next();
      if (done) isWhole = true;
      else first.push(value);
    }
    const bytes = first.reduce((sum, { length }) => sum + length, 0);
    if (isWhole && (digest === undefined || bytes === 0)) {
      const verified = digest === undefined ? {} : ({ verifiedBy: 'readback' } as const);
      const published = await this.#publish(key, version, bytes, first.length, options, first);
      return { ...published, ...verified };
    }
    const { base, connection } = this.#tools;
    try {
      const upload = { base, key, version, signal };
      const { count, size } = await writeChunks(connection, upload, all(first, chunks));
      if (digest !== undefined) await this.#readBack(key, version, size, digest.sha256, signal);
      const published = await this.#publish(key, version, size, count, options);
      return { ...published, ...(digest !== undefined && { verifiedBy: 'readback' }) };
    } catch (error) {
      this.#discard(version);
      throw error;
    }
  }

  async #publish(
    key: string,
    version: string,
    size: number,
    count: number,
    options: PutOptions,
    inline: readonly Buffer[] = [],
  ): Promise<PutResult> {
    const { ifAbsent = false, ifVersion, fence, signal } = options;
    const { base, connection } = this.#tools;
    const args = [
      ...[key, version, `${size}`, `${CHUNK_BYTES}`, `${count}`, ifAbsent ? '1' : '', expected(ifVersion)],
      ...[fence?.name ?? '', generationOf(fence), `${GRACE_MS}`],
      ...inline,
    ];
    let answer: readonly unknown[];
    try {
      answer = listOf(await connection.run(PUBLISH, base, args, signal));
    } catch (error) {
      throwIfAborted(signal);
      const found = isLostConnection(error) ? await this.#published(key, version, signal) : undefined;
      if (found === undefined) throw error;
      return found;
    }
    const [outcome, detail] = answer.map(String);
    if (outcome !== 'done') throw refusalOf(key, outcome, options, Number(detail));
    return { key, size, version, modifiedAt: new Date(Number(detail)) };
  }

  /** Whether a put whose answer was lost has been done: nobody else has its version. */
  async #published(
    key: string,
    version: string,
    signal: AbortSignal | undefined,
  ): Promise<PutResult | undefined> {
    const { base, connection } = this.#tools;
    const [outcome, meta] = await connection
      .read(HEAD, base, [key], signal)
      .then(listOf)
      .catch(() => []);
    throwIfAborted(signal);
    if (String(outcome) !== 'found') return undefined;
    const { info } = entryOf(key, meta);
    return info.version === version ? info : undefined;
  }

  async #readBack(
    key: string,
    version: string,
    size: number,
    sha256: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { base, connection } = this.#tools;
    const fetch = async (from: number, to: number, own: AbortSignal) => {
      const args = [version, `${CHUNK_BYTES}`, `${from}`, `${to}`, '0'];
      const both = signal === undefined ? own : AbortSignal.any([own, signal]);
      const found = buffersOf(listOf(await connection.read(READ_ON, base, args, both)));
      if (found.length === 0) throw sweptError(key);
      return found;
    };
    const hash = createHash('sha256');
    for await (const bytes of chunkBody({ first: [], from: 0, to: size, fetch })) hash.update(bytes);
    if (hash.digest('hex') === sha256) return;
    throw new StoreError(
      `the server has received other bytes of "${key}" than those of the announced digest`,
    );
  }

  /** Drops chunks that will never be published; if the server can't be reached now, it drops them by itself later. */
  #discard(version: string): void {
    const { base, clock, connection } = this.#tools;
    const ending = new AbortController();
    const dropping = connection.run(DISCARD, base, [version], ending.signal).catch(() => undefined);
    void resultWithin(clock, DISCARD_MS, dropping).finally(() => ending.abort());
  }
}

function generationOf(fence: Fence | undefined): string {
  return fence === undefined ? '' : `${fence.isNew === true ? '+' : ''}${fence.generation}`;
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

function refusalOf(key: string, outcome: string | undefined, { fence }: PutOptions, highest: number): Error {
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
    case 'damaged':
      return damagedError(key);
    case 'torn':
      return new StoreError(`the server has received "${key}" in part`);
    case 'swept':
      return sweptError(key);
  }
  return new StoreError(`the server answered a put of "${key}" with ${JSON.stringify(outcome)}`, {
    retryable: false,
  });
}

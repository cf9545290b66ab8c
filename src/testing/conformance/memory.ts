import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { bytesOf, type Chapter } from './harness.js';

const PIECE = bytesOf(256 * 1024);
const PIECES = 240;
/** 60 MB. */
const SIZE = PIECE.length * PIECES;
/**
 * A store that keeps the value as a whole has at least its 60 MB; one that streams has a few pieces on their way, at the
 * most some parts of 5 MB for an upload to S3. What was only not collected yet does not count, see {@link liveBytes}.
 */
const CEILING_BYTES = 40 * 1024 * 1024;
/** Measuring collects all garbage, so it is done now and then. */
const PIECES_A_LOOK = 16;
const SETTLING_ROUNDS = 4;

/** A large value passes through: it is never in memory as a whole. */
export const memory: Chapter = (test, { inMemory = false, maxObjectBytes = Number.POSITIVE_INFINITY }) => {
  if (inMemory || maxObjectBytes < SIZE) return;

  test('puts and gets 60 MB without having them in memory', async (store) => {
    const peak = new Peak();
    await peak.settle();
    const source = createHash('sha256');
    function* pieces() {
      for (let index = 0; index < PIECES; index++) {
        peak.look(index);
        source.update(PIECE);
        yield PIECE;
      }
    }
    await store.put('shop/large', Readable.from(pieces(), { objectMode: false }), { size: SIZE });
    peak.assertLow('put');

    const found = await store.get('shop/large');
    assert.ok(found !== undefined, 'the object is missing');
    const target = createHash('sha256');
    let seen = 0;
    let looked = 0;
    for await (const chunk of found.body) {
      target.update(chunk);
      seen += chunk.length;
      const index = Math.floor(seen / PIECE.length);
      if (index > looked) peak.look(index);
      looked = index;
    }
    peak.assertLow('get');
    assert.equal(seen, SIZE);
    assert.equal(target.digest('hex'), source.digest('hex'));
  });
};

/** The most that was in use at one time, above the least before: what earlier tests left behind may go meanwhile. */
class Peak {
  readonly #collect = garbageCollector();
  #least = Number.POSITIVE_INFINITY;
  #most = 0;

  /** Lets go of what was left behind, as far as it goes at once. */
  async settle(): Promise<void> {
    for (let round = 0; round < SETTLING_ROUNDS; round++) {
      this.#look();
      await setImmediate();
    }
    this.#most = 0;
  }

  look(piece: number): void {
    if (piece % PIECES_A_LOOK === 0) this.#look();
  }

  assertLow(what: string): void {
    const megabytes = Math.round(this.#most / 1024 / 1024);
    assert.ok(this.#most <= CEILING_BYTES, `${what} of 60 MB had ${megabytes} MB in memory at one time`);
    this.#most = 0;
  }

  #look(): void {
    const live = liveBytes(this.#collect);
    this.#least = Math.min(this.#least, live);
    this.#most = Math.max(this.#most, live - this.#least);
  }
}

/**
 * The bytes that JavaScript holds on to, after a collection. Not the size of the process: that depends on when garbage is
 * collected and given back, so a limit on it would be either too high or met by chance.
 */
function liveBytes(collect: () => void): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Node gives its collector to a new context once the flag is set, also in a process that was started without it. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('typeof gc === "function" ? gc : undefined');
  assert.ok(typeof collect === 'function', 'this test needs the garbage collector of node');
  return () => void collect();
}

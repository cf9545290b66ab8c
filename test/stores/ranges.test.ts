import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { asAsked, boundsOf } from '../../src/stores/ranges.js';
import type { StoredObject } from '../../src/stores/session-store.js';
import {
  assertBytes,
  bytesOf,
  readAll,
  rejectsWith,
  streamOf,
} from '../../src/testing/conformance/harness.js';

const SIZE = 100_000;

/** The answer of a store that knows nothing of ranges. */
function whole(body: Readable = streamOf(bytesOf(SIZE))): StoredObject {
  return { info: { key: 'a', size: SIZE, version: 'v1', modifiedAt: new Date(0) }, body };
}

describe('the bounds of a range', () => {
  it.each([
    [undefined, 0, 10],
    [{ offset: 2, length: 3 }, 2, 5],
    [{ offset: 8, length: 3 }, 8, 10],
    [{ offset: 10, length: 3 }, 10, 10],
    [{ offset: 99, length: 3 }, 10, 10],
    [{ offset: 2, length: 0 }, 2, 2],
    [{ offset: 2, length: Number.MAX_SAFE_INTEGER }, 2, 10],
  ])('%j of 10 bytes are %i to %i', (range, from, to) => {
    expect(boundsOf(range, 10)).toEqual({ from, to });
  });
});

describe('an answer of a store that ignores what it does not know', () => {
  it.each([
    [0, 10],
    [0, 10_000],
    [9_999, 2],
    [25_000, 50_000],
    [99_990, 1000],
    [SIZE, 10],
    [5, 0],
    [0, SIZE],
  ])('is cut to the bytes from %i, %i of them', async (offset, length) => {
    const range = { offset, length };
    const found = asAsked('a', whole(), { range });
    expect(found.info.size).toBe(SIZE);
    expect(found.range).toEqual(range);
    assertBytes(await readAll(found.body), bytesOf(SIZE).subarray(offset, offset + length));
  });

  it('is left alone where it holds the part already, or the whole was wanted', () => {
    const part = { ...whole(), range: { offset: 5, length: 5 } };
    expect(asAsked('a', part, { range: { offset: 5, length: 5 } })).toBe(part);
    const all = whole();
    expect(asAsked('a', all, {})).toBe(all);
  });

  it('is not read beyond the part, and let go', async () => {
    let pieces = 0;
    function* endless() {
      for (;;) {
        pieces++;
        yield bytesOf(10_000);
      }
    }
    const body = Readable.from(endless(), { objectMode: false });
    const info = { ...whole().info, size: Number.MAX_SAFE_INTEGER };
    const found = asAsked('a', { info, body }, { range: { offset: 15_000, length: 10_000 } });
    expect(await readAll(found.body)).toHaveLength(10_000);
    expect(body.destroyed).toBe(true);
    expect(pieces).toBeLessThan(20);
  });

  it('is let go with its part, also when it stands still', () => {
    const body = new Readable({ read: () => undefined });
    const part = asAsked('a', whole(body), { range: { offset: 5, length: 5 } }).body;
    part.read();
    part.destroy();
    expect(body.destroyed).toBe(true);
  });

  it('fails as its body fails, and where that is not of bytes', async () => {
    const cause = new Error('connection reset');
    async function* failing() {
      yield bytesOf(10);
      throw cause;
    }
    const options = { range: { offset: 5, length: 100 } };
    await expect(readAll(asAsked('a', whole(Readable.from(failing())), options).body)).rejects.toBe(cause);
    const objects = asAsked('a', whole(Readable.from([{ no: 'bytes' }])), options).body;
    expect((await rejectsWith('STORE', readAll(objects))).retryable).toBe(false);
  });

  it('is a conflict where it has another version, and let go', () => {
    const found = whole();
    expect(() => asAsked('a', found, { ifVersion: 'v0' })).toThrow(/changed meanwhile/);
    expect(found.body.destroyed).toBe(true);
    const same = whole();
    expect(asAsked('a', same, { ifVersion: 'v1' })).toBe(same);
  });
});

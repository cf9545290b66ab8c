import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DamageError } from '../../../src/profile/leveldb/damage.js';
import {
  blockEntries,
  checkTable,
  FOOTER_BYTES,
  parseFooter,
  type ReadAt,
  readInternalKey,
  tableEntries,
} from '../../../src/profile/leveldb/table.js';
import { Windows } from '../../../src/profile/leveldb/window.js';
import { sha256 } from '../../snapshot/support/local-store.js';
import { writeBlock, writeTable } from '../leveldb-writer.js';

/** Smaller than a table, larger than most of its blocks. */
const WINDOW = 512;

const entries: [string, string][] = Array.from({ length: 9 }, (_, i) => [
  `key-${i}`,
  `value-${i}`.repeat(20),
]);

function readAtOf(bytes: Uint8Array): ReadAt {
  return async (offset, length) => {
    if (offset + length > bytes.length) throw new DamageError('too short');
    return bytes.subarray(offset, offset + length);
  };
}

const check = (bytes: Uint8Array) => checkTable(readAtOf(bytes), bytes.length, new Uint8Array(WINDOW));

describe('a table', () => {
  it.each([false, true])('gives back its entries (compressed: %s)', async (compress) => {
    const table = writeTable(entries, { compress });
    await expect(check(table)).resolves.toBe(sha256(table));
    const found: string[] = [];
    for await (const { key, value } of tableEntries(readAtOf(table), table.length)) {
      found.push(`${Buffer.from(key.subarray(0, -8))}=${Buffer.from(value)}`);
    }
    expect(found).toEqual(entries.map(([key, value]) => `${key}=${value}`));
  });

  it('gives back the entries of those blocks alone that are wanted, and does not read the others', async () => {
    const table = writeTable(entries); // two entries to a block
    const spans: string[] = [];
    const keyOf = (key: Uint8Array | undefined) => key && String(Buffer.from(key.subarray(0, -8)));
    let reads = 0;
    const counting: ReadAt = (offset, length) => {
      reads++;
      return readAtOf(table)(offset, length);
    };
    const found: string[] = [];
    const wants = (before: Uint8Array | undefined, last: Uint8Array) => {
      spans.push(`${keyOf(before)}..${keyOf(last)}`);
      return keyOf(last) === 'key-3';
    };
    for await (const entry of tableEntries(counting, table.length, wants)) {
      const { userKey, sequence, isPut } = readInternalKey(entry);
      found.push(`${Buffer.from(userKey)} ${sequence} ${isPut}`);
    }
    expect(spans).toEqual([
      'undefined..key-1',
      'key-1..key-3',
      'key-3..key-5',
      'key-5..key-7',
      'key-7..key-8',
    ]);
    expect(found).toEqual(['key-2 1 true', 'key-3 1 true']);
    expect(reads).toBe(3); // the footer, the index, one block
  });

  it('reads sequence numbers beyond 32 bits', () => {
    const key = Buffer.from('k\x00\x01\x02\x03\x04\x05\x00\x00', 'latin1');
    const expected = { userKey: Buffer.from('k'), sequence: 0x0504030201, isPut: false };
    expect(readInternalKey({ key, value: Buffer.alloc(0) })).toMatchObject(expected);
    expect(() => readInternalKey({ key: Buffer.alloc(7), value: Buffer.alloc(0) })).toThrow(DamageError);
  });

  it('of an unknown compression is not called damaged', async () => {
    const table = writeTable(entries, { compression: 2 });
    // Nor sound: its index could not be read, and so none of its blocks.
    await expect(check(table)).resolves.toBeUndefined();
    // Nor empty.
    await expect(tableEntries(readAtOf(table), table.length).next()).rejects.toThrow(DamageError);
  });

  it('is refused for every single changed byte of its blocks and magic number (property)', async () => {
    const table = writeTable(entries, { compress: true });
    const end = table.length;
    const covered = fc.oneof(
      fc.integer({ min: 0, max: end - 49 }),
      fc.integer({ min: end - 8, max: end - 1 }),
    );
    await fc.assert(
      fc.asyncProperty(covered, fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const bytes = Buffer.from(table);
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        await expect(check(bytes)).rejects.toBeInstanceOf(DamageError);
      }),
      { numRuns: 200 },
    );
  });

  it('is refused wherever it is cut, and whatever its bytes (fuzz)', async () => {
    const table = writeTable(entries);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: table.length - 1 }), async (length) => {
        await expect(check(table.subarray(0, length))).rejects.toBeInstanceOf(DamageError);
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), async (noise) => {
        const bytes = Buffer.concat([noise, table.subarray(table.length - 48)]);
        await expect(check(bytes)).rejects.toBeInstanceOf(DamageError);
      }),
    );
  });

  it('is read window by window, not block by block', async () => {
    const many: [string, string][] = Array.from({ length: 400 }, (_, i) => [
      `key-${String(i).padStart(4, '0')}`,
      'x'.repeat(20),
    ]);
    const table = writeTable(many);
    let reads = 0;
    const readAt: ReadAt = (offset, length, into) => {
      reads++;
      return readAtOf(table)(offset, length, into);
    };
    await checkTable(readAt, table.length, new Uint8Array(4096));
    expect(reads).toBeLessThan(3 + (2 * table.length) / 4096);
  });

  it('stops when it is told to', async () => {
    const table = writeTable(entries);
    table[0] = (table[0] ?? 0) ^ 1;
    await expect(
      checkTable(readAtOf(table), table.length, new Uint8Array(WINDOW), AbortSignal.abort()),
    ).resolves.toBeUndefined();
  });
});

describe('a footer', () => {
  it('must not point outside of the file', () => {
    const footer = writeTable(entries).subarray(-48);
    expect(() => parseFooter(footer, 60)).toThrow(/outside of itself/);
    expect(() => parseFooter(footer.subarray(1), 6000)).toThrow(/too short/);
  });
});

describe('a block', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['is too short', Buffer.from([1]), /too short/],
    ['has more restarts than bytes', Buffer.from([9, 0, 0, 0]), /too short/],
    ['shares more of a key than there is', Buffer.from([5, 1, 0, 97, 0, 0, 0, 0, 1, 0, 0, 0]), /impossible/],
  ])('is refused when it %s', (_, bytes, problem) => {
    expect(() => [...blockEntries(bytes)]).toThrow(problem);
  });

  it('gives back keys that share their beginnings', () => {
    const pairs = ['a', 'ab', 'abc', 'b'].map((key): [Buffer, Buffer] => [
      Buffer.from(key),
      Buffer.from('v'),
    ]);
    expect([...blockEntries(writeBlock(pairs))].map(({ key }) => Buffer.from(key).toString())).toEqual([
      'a',
      'ab',
      'abc',
      'b',
    ]);
  });

  it('throws nothing but damage, whatever the bytes (fuzz)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          expect([...blockEntries(bytes)].length).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(DamageError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a table that is checked piece by piece', () => {
  const table = writeTable(
    Array.from({ length: 40 }, (_, index): [string, string] => [
      `key ${String(index).padStart(3, '0')}`,
      'v'.repeat(index * 7),
    ]),
    { compress: false },
  );

  it('is sound whatever the size of the pieces (property)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: table.length + 9 }), async (size) => {
        expect(await checkTable(readAtOf(table), table.length, new Uint8Array(size))).toBe(sha256(table));
      }),
    );
  });

  it('is damaged wherever a bit of a block is, whatever the size of the pieces (property)', async () => {
    const blocks = table.length - FOOTER_BYTES;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(blocks - 1),
        fc.nat(7),
        fc.integer({ min: 1, max: 500 }),
        async (at, bit, size) => {
          const damaged = Buffer.from(table);
          damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
          await expect(checkTable(readAtOf(damaged), damaged.length, new Uint8Array(size))).rejects.toThrow(
            DamageError,
          );
        },
      ),
    );
  });
});

describe('a window on a file', () => {
  it('is lent again when it was given back', async () => {
    const windows = new Windows();
    const first = await windows.lend(async (window) => window);
    await windows.lend(async (window) => {
      expect(window).toBe(first);
      await windows.lend(async (other) => expect(other).not.toBe(first));
    });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c, maskCrc } from '../../../src/profile/leveldb/crc32c.js';
import {
  LOG_BLOCK_BYTES,
  type LogScan,
  LogScanner,
  readLog,
} from '../../../src/profile/leveldb/log-reader.js';
import { uint32, writeLog } from '../leveldb-writer.js';

const records = [Buffer.from('one'), Buffer.alloc(70_000, 2), Buffer.from('three')];

/** A single physical record of any type. */
function fragment(type: number, payload: Uint8Array): Buffer {
  const crc = maskCrc(crc32c(Buffer.concat([Uint8Array.of(type), payload])));
  return Buffer.concat([
    Buffer.from([...uint32(crc), payload.length & 255, payload.length >>> 8, type]),
    payload,
  ]);
}

function contents(bytes: Uint8Array): { records: Uint8Array[]; scan: LogScan } {
  const found: Uint8Array[] = [];
  const scan = readLog(bytes, (record) => found.push(record));
  return { records: found, scan };
}

describe('a whole log', () => {
  it('gives back what was written, across blocks', () => {
    const { records: found, scan } = contents(writeLog(records));
    expect(found.map((record) => Buffer.from(record))).toEqual(records);
    expect(scan).toEqual({ records: 3, ending: 'clean', damage: undefined });
  });

  it('gives back any records (property)', () => {
    const record = fc.uint8Array({ maxLength: 200 });
    const large = fc
      .integer({ min: 0, max: 80_000 })
      .map((length) => new Uint8Array(length).fill(length & 255));
    fc.assert(
      fc.property(fc.array(fc.oneof(record, large), { maxLength: 8 }), (written) => {
        const { records: found, scan } = contents(writeLog(written));
        expect(found.length).toBe(written.length);
        expect(Buffer.concat(found).equals(Buffer.concat(written))).toBe(true);
        expect(scan.damage).toBeUndefined();
      }),
      { numRuns: 40 },
    );
  });

  it('fills the last bytes of a block with zeros when no header fits', () => {
    for (let spare = 0; spare < 8; spare++) {
      const first = Buffer.alloc(LOG_BLOCK_BYTES - 7 - spare, 1);
      const { records: found } = contents(writeLog([first, Buffer.from('next')]));
      expect(Buffer.from(found[1] ?? [])).toEqual(Buffer.from('next'));
    }
  });

  it('may be empty', () => {
    expect(readLog(new Uint8Array(0))).toEqual({ records: 0, ending: 'clean', damage: undefined });
  });
});

describe('a log that is read into one buffer, block by block', () => {
  it.each([
    ['a Buffer', (bytes: number) => Buffer.alloc(bytes)],
    ['plain bytes', (bytes: number) => new Uint8Array(bytes)],
  ])('has records that go over the ends of blocks: %s', (_, bufferOf) => {
    const records = Array.from({ length: 20 }, (_, index) => new Uint8Array(70_000).fill(index + 1));
    const log = writeLog(records);
    const read: string[] = [];
    const scanner = new LogScanner((record) => read.push(`${record.length} of ${[...new Set(record)]}`));
    const buffer = bufferOf(LOG_BLOCK_BYTES);
    for (let at = 0; at < log.length; at += LOG_BLOCK_BYTES) {
      const block = log.subarray(at, at + LOG_BLOCK_BYTES);
      buffer.set(block);
      scanner.push(buffer.subarray(0, block.length));
    }
    expect(scanner.finish()).toMatchObject({ records: 20, ending: 'clean', damage: undefined });
    expect(read).toEqual(records.map((_, index) => `70000 of ${index + 1}`));
  });
});

describe('a log whose writer was killed', () => {
  it('is never called damaged, wherever it is cut (property)', () => {
    const whole = writeLog(records);
    const ends = records.map((_, index) => writeLog(records.slice(0, index + 1)).length);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length }), (length) => {
        const scan = readLog(whole.subarray(0, length));
        expect(scan.damage).toBeUndefined();
        expect(scan.records).toBe(ends.filter((end) => end <= length).length);
        expect(scan.ending).toBe(length === 0 || ends.includes(length) ? 'clean' : 'torn');
      }),
      { numRuns: 300 },
    );
  });

  it('is torn when it ends between the fragments of a record', () => {
    const whole = writeLog([Buffer.alloc(70_000, 2)]);
    expect(readLog(whole.subarray(0, LOG_BLOCK_BYTES)).ending).toBe('torn');
  });

  it('may end in zeros', () => {
    const scan = readLog(Buffer.concat([writeLog(records), Buffer.alloc(100_000)]));
    expect(scan).toEqual({ records: 3, ending: 'zeros', damage: undefined });
  });
});

describe('damage inside', () => {
  const small = writeLog([Buffer.alloc(100, 1), Buffer.alloc(100, 2), Buffer.alloc(100, 3)]);

  it('is found for every single changed byte that is not in the length of the last record (property)', () => {
    const lengthOfLast = [2 * 107 + 4, 2 * 107 + 5];
    const position = fc.integer({ min: 0, max: small.length - 1 }).filter((at) => !lengthOfLast.includes(at));
    fc.assert(
      fc.property(position, fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = Buffer.from(small);
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        const scan = readLog(bytes);
        // A length that points beyond the end looks like a torn tail; LevelDB itself can't tell either.
        expect(scan.damage !== undefined || scan.ending === 'torn').toBe(true);
        expect(scan.records).toBeLessThan(3);
      }),
    );
  });

  it.each<[string, Buffer, RegExp, number]>([
    [
      'zeros in the middle',
      Buffer.concat([fragment(1, Buffer.from('a')), Buffer.alloc(50), Buffer.from('x')]),
      /zeroed/,
      8,
    ],
    [
      'zeros in the middle of a record',
      Buffer.concat([fragment(2, Buffer.from('a')), Buffer.alloc(50)]),
      /zeros follow/,
      8,
    ],
    [
      'a record without an end',
      Buffer.concat([fragment(2, Buffer.from('a')), fragment(1, Buffer.from('b'))]),
      /no end/,
      8,
    ],
    ['a record without a beginning', fragment(4, Buffer.from('a')), /no beginning/, 0],
    ['an unknown type', fragment(9, Buffer.from('a')), /unknown type/, 0],
    ['a length beyond the block', Buffer.from([0, 0, 0, 0, 255, 255, 1, 0]), /longer than its block/, 0],
  ])('is found: %s', (_, bytes, problem, offset) => {
    const { damage } = readLog(bytes);
    expect(damage?.problem).toMatch(problem);
    expect(damage?.offset).toBe(offset);
  });

  it('is found where zeros go on over several blocks', () => {
    const bytes = Buffer.concat([
      writeLog([Buffer.from('a')]),
      Buffer.alloc(3 * LOG_BLOCK_BYTES),
      Buffer.from('x'),
    ]);
    expect(readLog(bytes).damage?.problem).toMatch(/zeroed/);
  });

  it('is no damage: an empty first fragment, as early writers left it', () => {
    const bytes = Buffer.concat([fragment(2, Buffer.alloc(0)), fragment(1, Buffer.from('b'))]);
    expect(readLog(bytes)).toMatchObject({ records: 1, damage: undefined });
  });

  it('never throws, whatever the bytes (fuzz)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
        const scan = readLog(bytes, () => undefined);
        expect(scan.records).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
  });
});

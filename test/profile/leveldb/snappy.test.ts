import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DamageError } from '../../../src/profile/leveldb/damage.js';
import { decompressSnappy } from '../../../src/profile/leveldb/snappy.js';
import { snappyLiterals, varint } from '../leveldb-writer.js';

const MAX = 1024 * 1024;

describe('Snappy', () => {
  it('gives back literals (property)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        expect(Buffer.from(decompressSnappy(snappyLiterals(bytes), MAX))).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it.each<[string, number[], string]>([
    ['a copy with one byte of offset', [8, 3 << 2, ...Buffer.from('abcd'), 1, 4], 'abcdabcd'],
    ['a copy with two bytes of offset', [7, 3 << 2, ...Buffer.from('abcd'), (2 << 2) | 2, 4, 0], 'abcdabc'],
    [
      'a copy with four bytes of offset',
      [6, 3 << 2, ...Buffer.from('abcd'), (1 << 2) | 3, 3, 0, 0, 0],
      'abcdbc',
    ],
    ['a copy of itself', [6, 0, 97, (4 << 2) | 2, 1, 0], 'aaaaaa'],
    ['a literal with two bytes of length', [3, 61 << 2, 2, 0, ...Buffer.from('abc')], 'abc'],
    ['nothing', [0], ''],
  ])('reads %s', (_, bytes, expected) => {
    expect(Buffer.from(decompressSnappy(Buffer.from(bytes), MAX)).toString()).toBe(expected);
  });

  it.each<[string, number[], RegExp]>([
    ['a copy from before the beginning', [8, 0, 97, 1, 2], /outside of itself/],
    ['a copy from nowhere', [8, 0, 97, 1, 0], /outside of itself/],
    ['a copy beyond the end', [3, 0, 97, 1, 1], /outside of itself/],
    ['a literal beyond the end', [1, 1 << 2, 97, 98], /longer than it says/],
    ['a literal that is cut', [9, 8 << 2, 97], /ends in the middle/],
    ['too little', [9, 0, 97], /shorter than it says/],
    ['a promise of a gigabyte', [...varint(2 ** 30), 0, 97], /longer than it can be/],
  ])('refuses %s', (_, bytes, problem) => {
    expect(() => decompressSnappy(Buffer.from(bytes), MAX)).toThrow(problem);
  });

  it('throws nothing but damage and writes no more than it may, whatever the bytes (fuzz)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        try {
          expect(decompressSnappy(bytes, 1000).length).toBeLessThanOrEqual(1000);
        } catch (error) {
          expect(error).toBeInstanceOf(DamageError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

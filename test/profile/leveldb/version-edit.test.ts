import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DamageError } from '../../../src/profile/leveldb/damage.js';
import { parseManifest, parseVersionEdit } from '../../../src/profile/leveldb/version-edit.js';
import { varint, writeEdit, writeLog } from '../leveldb-writer.js';

const first = { comparator: 'idb_cmp1', logNumber: 0, nextFileNumber: 2, lastSequence: 0 };

describe('a version edit', () => {
  it('gives back what was written (property)', () => {
    const number = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
    const edit = fc.record({
      comparator: fc.string(),
      logNumber: number,
      prevLogNumber: number,
      nextFileNumber: number,
      deleted: fc.array(number),
      added: fc.array(fc.record({ number, size: number, level: fc.integer({ min: 0, max: 6 }) })),
    });
    fc.assert(
      fc.property(edit, (fields) => {
        expect(parseVersionEdit(writeEdit({ ...fields, lastSequence: 1 }))).toEqual({
          comparator: fields.comparator,
          logNumber: fields.logNumber,
          prevLogNumber: fields.prevLogNumber,
          nextFileNumber: fields.nextFileNumber,
          lastSequence: 1,
          deletedTables: fields.deleted,
          newTables: fields.added.map(({ number, size }) => ({ number, size })),
        });
      }),
    );
  });

  it('skips compaction pointers', () => {
    expect(parseVersionEdit(Buffer.from([5, 1, 3, 97, 98, 99, 2, 7])).logNumber).toBe(7);
  });

  it.each([
    ['an unknown kind', [42, 1], /unknown kind \(42\)/],
    ['a level that is none', [6, 7, 1], /level that does not exist/],
    ['a cut value', [1, 9, 97], /ends in the middle/],
    ['a cut number', [2, 128], /ends in the middle/],
    ['a number out of range', [2, ...Array(9).fill(255), 1], /out of all range/],
    ['a number just out of range', [2, ...varint(2 ** 53)], /out of all range/],
  ])('is refused with %s', (_, bytes, problem) => {
    expect(() => parseVersionEdit(Buffer.from(bytes))).toThrow(problem);
    expect(() => parseVersionEdit(Buffer.from(bytes))).toThrow(DamageError);
  });

  it('throws nothing but damage, whatever the bytes (fuzz)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          parseVersionEdit(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DamageError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a MANIFEST', () => {
  it('says which tables live', () => {
    const version = parseManifest(
      writeLog([
        writeEdit(first),
        writeEdit({
          logNumber: 5,
          nextFileNumber: 6,
          added: [
            { number: 3, size: 30 },
            { number: 4, size: 40 },
          ],
        }),
        writeEdit({ deleted: [3], added: [{ number: 6, size: 60 }] }),
        // A table that moves to another level.
        writeEdit({ deleted: [4], added: [{ number: 4, size: 40, level: 1 }] }),
      ]),
    );
    expect([...version.tables].sort()).toEqual([
      [4, 40],
      [6, 60],
    ]);
    expect([...version.everNamed].sort()).toEqual([3, 4, 6]);
    expect(version).toMatchObject({
      comparator: 'idb_cmp1',
      logNumber: 5,
      nextFileNumber: 6,
      ending: 'clean',
    });
  });

  it('may end in the middle of a record', () => {
    const whole = writeLog([writeEdit(first), writeEdit({ added: [{ number: 3, size: 30 }] })]);
    const version = parseManifest(whole.subarray(0, whole.length - 1));
    expect(version.tables.size).toBe(0);
    expect(version.ending).toBe('torn');
  });

  it.each([
    ['empty', Buffer.alloc(0), /it is empty/],
    ['zeroed', Buffer.alloc(30), /none of its 30 bytes/],
    ['without its first record', writeLog([writeEdit({ logNumber: 3 })]), /first records are missing/],
    ['damaged', Buffer.from([1, 2, 3, 4, 1, 0, 1, 9]), /checksum of a record is wrong \(at byte 0\)/],
  ])('is refused when it is %s', (_, bytes, problem) => {
    expect(() => parseManifest(bytes)).toThrow(problem);
  });

  it('throws nothing but damage, whatever its records (fuzz)', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }), (records) => {
        try {
          parseManifest(writeLog(records));
        } catch (error) {
          expect(error).toBeInstanceOf(DamageError);
        }
      }),
      { numRuns: 300 },
    );
  });
});

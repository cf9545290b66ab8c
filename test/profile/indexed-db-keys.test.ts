import { describe, expect, it } from 'vitest';
import { DamageError } from '../../src/profile/leveldb/damage.js';
import {
  blobsNamedBy,
  isBlobEntry,
  mayHoldBlobEntries,
} from '../../src/profile/soundness/indexed-db-keys.js';
import { blobEntry, blobEntryKey, recordKey } from './indexed-db-writer.js';

const namesIn = (key: string, value: Uint8Array) => blobsNamedBy(bytes(key), value).map(({ name }) => name);
const bytes = (text: string | undefined) => Buffer.from(text ?? '', 'latin1');

describe('a key of IndexedDB', () => {
  it('is that of a blob entry by its index, however long the ids before it are', () => {
    expect(isBlobEntry(bytes(blobEntryKey('a')))).toBe(true);
    expect(isBlobEntry(bytes(blobEntryKey('a', { database: 300, objectStore: 70_000 })))).toBe(true);
    expect(isBlobEntry(bytes(recordKey('a')))).toBe(false);
    expect(isBlobEntry(bytes(recordKey('a', { database: 3, objectStore: 3 })))).toBe(false);
    expect(isBlobEntry(bytes(''))).toBe(false);
    expect(isBlobEntry(bytes('\0\x01\x01'))).toBe(false); // it ends before the index
  });

  it('tells whether a blob entry may follow before another key', () => {
    const [record, laterRecord, entry] = [recordKey('a'), recordKey('b'), blobEntryKey('a')].map(bytes);
    const otherStore = bytes(recordKey('a', { objectStore: 2 }));
    const otherDatabase = bytes(recordKey('a', { database: 2 }));
    if (!record || !laterRecord || !entry) throw new Error('unreachable');
    expect(mayHoldBlobEntries(record, laterRecord)).toBe(false);
    expect(mayHoldBlobEntries(record, entry)).toBe(true);
    expect(mayHoldBlobEntries(entry, bytes(blobEntryKey('b')))).toBe(true);
    expect(mayHoldBlobEntries(record, otherStore)).toBe(true);
    expect(mayHoldBlobEntries(record, otherDatabase)).toBe(true);
    expect(mayHoldBlobEntries(bytes(''), record)).toBe(true);
  });
});

describe('a blob entry', () => {
  it('names its files by the database and the number', () => {
    const named = (numbers: number[], database = 1) => {
      const [key, value] = blobEntry(
        'a',
        numbers.map((number) => ({ number })),
        { database },
      );
      return namesIn(key, bytes(value));
    };
    expect(named([2])).toEqual(['1/00/2']);
    expect(named([255, 256, 0x12345], 17)).toEqual(['11/00/ff', '11/01/100', '11/23/12345']);
    expect(named([])).toEqual([]);
  });

  it('is read as Chromium 156 writes it', () => {
    const key = Buffer.from('00020403030000000065cdcd41', 'hex');
    const type = Buffer.from('application/vnd.blink-idb-value-wrapper', 'utf16le').swap16().toString('hex');
    const value = Buffer.from(`00820227${type}9c8010`, 'hex');
    expect(isBlobEntry(key)).toBe(true);
    expect(blobsNamedBy(key, value)).toEqual([{ name: '2/01/102', size: 262_172 }]);
  });

  it('may name files of the page beside the wrapped value, and handles, which are no files', () => {
    const [key, value] = blobEntry('a', [{ number: 7, fileName: 'photo.jpg' }, { number: 8 }]);
    const handle = '\x02\x03abc';
    expect(namesIn(key, bytes(`${handle}${value}`))).toEqual(['1/00/7', '1/00/8']);
  });

  it('may name a file of any time: one before 1601 takes ten bytes', () => {
    const old = Buffer.from([1, 7, 0, 13, 0, ...Array.from({ length: 9 }, () => 0xff), 1]);
    expect(namesIn(blobEntryKey('a'), old)).toEqual(['1/00/7']);
  });

  it('of nothing has no file', () => {
    expect(namesIn(blobEntryKey('a'), Buffer.from([0, 7, 0, 0]))).toEqual([]);
  });

  it('of another form is refused, as one that is cut off', () => {
    const [key, value = ''] = blobEntry('a', [{ number: 7, fileName: 'photo.jpg' }]);
    expect(() => namesIn(key, bytes(`\x09${value}`))).toThrow(DamageError);
    for (let length = 1; length < value.length; length++) {
      expect(() => namesIn(key, bytes(value.slice(0, length)))).toThrow(DamageError);
    }
    expect(() => namesIn('\0', bytes(value))).toThrow(DamageError);
  });
});

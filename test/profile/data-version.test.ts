import { describe, expect, it } from 'vitest';
import { systemFileSystem } from '../../src/file-system.js';
import { dataVersionText, parseDataVersion, readDataVersion } from '../../src/profile/data-version.js';
import { writeBatch, writeEdit, writeLog, writeTable } from './leveldb-writer.js';
import { INDEXED_DB, makeProfile, newDatabaseEdit, type ProfileFiles } from './profiles.js';

const SCHEMA = '\0\0\0\0\0';
const DATA = '\0\0\0\0\x02';
/** As real Chromium 148 and 149 have written it. */
const OF_148 = '\x15\0\0\0\x0f';
const OF_149 = '\x15\0\0\0\x10';
const V15 = { schema: 5, v8: 15, blink: 21 };
const V16 = { schema: 5, v8: 16, blink: 21 };

describe('the data version of an IndexedDB', () => {
  const read = async (files: ProfileFiles) =>
    readDataVersion({ fs: systemFileSystem, profileDir: await makeProfile(files) });

  function database(table: Buffer | undefined, log: Buffer): ProfileFiles {
    const added = table === undefined ? [] : [{ number: 5, size: table.length }];
    return {
      [`${INDEXED_DB}/CURRENT`]: 'MANIFEST-000001\n',
      [`${INDEXED_DB}/MANIFEST-000001`]: writeLog([
        writeEdit(newDatabaseEdit('idb_cmp1')),
        writeEdit({ logNumber: 6, prevLogNumber: 0, nextFileNumber: 7, lastSequence: 20, added }),
      ]),
      ...(table !== undefined && { [`${INDEXED_DB}/000005.ldb`]: table }),
      [`${INDEXED_DB}/000006.log`]: log,
    };
  }
  const emptyLog = writeLog([]);
  const log = (entries: readonly (readonly [string, string?])[], sequence = 10) =>
    writeLog([writeBatch(entries, sequence)]);

  it('is in the log', async () => {
    expect(
      await read(
        database(
          undefined,
          log([
            [SCHEMA, '\x05'],
            [DATA, OF_148],
          ]),
        ),
      ),
    ).toEqual(V15);
  });

  it('is in the first blocks of a table', async () => {
    const rest = Array.from({ length: 20 }, (_, i): [string, string] => [
      `\0\x01\x01\x01${i}`,
      'x'.repeat(99),
    ]);
    const table = writeTable([[SCHEMA, '\x05'], ['\0\0\0\0\x01', '\x03'], [DATA, OF_149], ...rest], {
      compress: true,
    });
    expect(await read(database(table, emptyLog))).toEqual(V16);
  });

  it('is that of the newest change, wherever it lies', async () => {
    const table = writeTable(
      [
        [SCHEMA, '\x05'],
        [DATA, OF_148],
      ],
      { sequence: 3 },
    );
    expect(await read(database(table, log([[DATA, OF_149]])))).toEqual(V16);
    const newer = writeTable(
      [
        [SCHEMA, '\x05'],
        [DATA, OF_149],
      ],
      { sequence: 30 },
    );
    expect(await read(database(newer, log([[DATA, OF_148]])))).toEqual(V16);
  });

  it('is not known where the database has none, is damaged, or is not there', async () => {
    expect(await read(database(undefined, log([['a', 'b']])))).toBeUndefined();
    expect(await read(database(undefined, log([[DATA, OF_148], [DATA]])))).toBeUndefined();
    expect(await read({ ...database(undefined, emptyLog), [`${INDEXED_DB}/CURRENT`]: '' })).toBeUndefined();
    const table = writeTable([[DATA, OF_149]]);
    const half = { ...database(table, emptyLog), [`${INDEXED_DB}/000005.ldb`]: table.subarray(0, 20) };
    expect(await read(half)).toBeUndefined();
    expect(await read({ 'Default/Preferences': '{}' })).toBeUndefined();
  });

  it('is written as three numbers', () => {
    expect(dataVersionText(V16)).toBe('5.16.21');
    expect(parseDataVersion('5.16.21')).toEqual(V16);
    for (const text of ['', '5.16', '5.16.21.1', '-5.16.21', undefined]) {
      expect(parseDataVersion(text)).toBeUndefined();
    }
  });
});

import { describe, expect, it } from 'vitest';
import { knownSound, NO_SOUND_TABLES, soundTablesOf } from '../../src/profile/sound-tables.js';
import type { CapturedFile } from '../../src/types.js';

const FOLDER = 'Default/IndexedDB/https_web.whatsapp.com_0.indexeddb.leveldb';

function file(name: string, some: Partial<CapturedFile['source']> = {}, size = 10): CapturedFile {
  return { path: `${FOLDER}/${name}`, size, source: { size, mtimeNs: '1', inode: '1', ...some } };
}

describe('the tables that are known to be sound', () => {
  it('are those of a capture that was found sound, as long as they have not changed', () => {
    expect(knownSound([file('000005.ldb')], NO_SOUND_TABLES)).toEqual([]);
    const known = soundTablesOf([file('000005.ldb'), file('000006.sst'), file('000007.ldb')]);
    const now = [file('000005.ldb'), file('000006.sst'), file('000008.ldb')];
    expect(knownSound(now, known)).toEqual([`${FOLDER}/000005.ldb`, `${FOLDER}/000006.sst`]);
  });

  it.each([
    ['time', file('000005.ldb', { mtimeNs: '2' })],
    ['inode', file('000005.ldb', { inode: '2' })],
    ['size', file('000005.ldb', {}, 11)],
  ])('are read again when their %s is another', (_, changed) => {
    expect(knownSound([changed], soundTablesOf([file('000005.ldb')]))).toEqual([]);
  });

  it('are tables only: logs and MANIFESTs are appended to', () => {
    const logs = [file('000005.log'), file('MANIFEST-000001'), file('CURRENT')];
    expect(knownSound(logs, soundTablesOf(logs))).toEqual([]);
  });

  it('are never taken from a copy that is shorter or longer than its original was', () => {
    const cut: CapturedFile = { ...file('000005.ldb'), size: 9 };
    expect(knownSound([cut], soundTablesOf([cut]))).toEqual([]);
  });
});

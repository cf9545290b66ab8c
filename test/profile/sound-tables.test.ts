import { describe, expect, it } from 'vitest';
import { knownSound, NO_SOUND_TABLES, rememberSound } from '../../src/profile/sound-tables.js';
import type { CapturedFile } from '../../src/types.js';

const FOLDER = 'Default/IndexedDB/https_web.whatsapp.com_0.indexeddb.leveldb';

function file(name: string, some: Partial<CapturedFile['source']> = {}, size = 10): CapturedFile {
  return { path: `${FOLDER}/${name}`, size, source: { size, mtimeNs: '1', inode: '1', ...some } };
}

const hashesOf = (...files: CapturedFile[]) => new Map(files.map(({ path }) => [path, `hash of ${path}`]));

function remembered(...files: CapturedFile[]) {
  return rememberSound(files, hashesOf(...files));
}

describe('the tables that are known to be sound', () => {
  it('are those that were hashed, as long as they have not changed', () => {
    expect(knownSound([file('000005.ldb')], NO_SOUND_TABLES)).toEqual(new Map());
    const known = remembered(file('000005.ldb'), file('000006.sst'), file('000007.ldb'));
    const now = [file('000005.ldb'), file('000006.sst'), file('000008.ldb')];
    expect(knownSound(now, known)).toEqual(hashesOf(file('000005.ldb'), file('000006.sst')));
    expect(rememberSound(now, new Map())).toEqual(NO_SOUND_TABLES);
  });

  it.each([
    ['time', file('000005.ldb', { mtimeNs: '2' })],
    ['inode', file('000005.ldb', { inode: '2' })],
    ['size', file('000005.ldb', {}, 11)],
  ])('are read again when their %s is another', (_, changed) => {
    expect(knownSound([changed], remembered(file('000005.ldb')))).toEqual(new Map());
  });

  it('are tables only: logs and MANIFESTs are appended to', () => {
    const logs = [file('000005.log'), file('MANIFEST-000001'), file('CURRENT')];
    expect(remembered(...logs)).toEqual(NO_SOUND_TABLES);
  });

  it('are never taken from a copy that is shorter or longer than its original was', () => {
    const cut: CapturedFile = { ...file('000005.ldb'), size: 9 };
    expect(remembered(cut)).toEqual(NO_SOUND_TABLES);
    expect(knownSound([cut], remembered(file('000005.ldb')))).toEqual(new Map());
  });
});

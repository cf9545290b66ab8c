import { describe, expect, it } from 'vitest';
import { SoundTables } from '../../src/supervision/sound-tables.js';
import type { CapturedFile, CapturedTree } from '../../src/types.js';

const FOLDER = 'Default/IndexedDB/https_web.whatsapp.com_0.indexeddb.leveldb';

function file(name: string, some: Partial<CapturedFile['source']> = {}, size = 10): CapturedFile {
  return { path: `${FOLDER}/${name}`, size, source: { size, mtimeNs: '1', inode: '1', ...some } };
}

const tree = (...files: CapturedFile[]): CapturedTree => ({ directory: '/staging', files });

describe('the tables that are known to be sound', () => {
  it('are those of the last capture that was found sound, as long as they have not changed', () => {
    const sound = new SoundTables();
    expect(sound.in(tree(file('000005.ldb')))).toEqual([]);
    sound.remember(tree(file('000005.ldb'), file('000006.sst'), file('000007.ldb')));
    const now = tree(file('000005.ldb'), file('000006.sst'), file('000008.ldb'));
    expect(sound.in(now)).toEqual([`${FOLDER}/000005.ldb`, `${FOLDER}/000006.sst`]);
  });

  it.each([
    ['time', file('000005.ldb', { mtimeNs: '2' })],
    ['inode', file('000005.ldb', { inode: '2' })],
    ['size', file('000005.ldb', {}, 11)],
  ])('are read again when their %s is another', (_, changed) => {
    const sound = new SoundTables();
    sound.remember(tree(file('000005.ldb')));
    expect(sound.in(tree(changed))).toEqual([]);
  });

  it('are tables only: logs and MANIFESTs are appended to', () => {
    const sound = new SoundTables();
    const logs = tree(file('000005.log'), file('MANIFEST-000001'), file('CURRENT'));
    sound.remember(logs);
    expect(sound.in(logs)).toEqual([]);
  });

  it('are never taken from a copy that is shorter or longer than its original was', () => {
    const sound = new SoundTables();
    const cut: CapturedFile = { ...file('000005.ldb'), size: 9 };
    sound.remember(tree(cut));
    expect(sound.in(tree(cut))).toEqual([]);
  });

  it('are forgotten when they are gone, and after any doubt', () => {
    const sound = new SoundTables();
    sound.remember(tree(file('000005.ldb')));
    sound.remember(tree());
    expect(sound.in(tree(file('000005.ldb')))).toEqual([]);
    sound.remember(tree(file('000005.ldb')));
    sound.clear();
    expect(sound.in(tree(file('000005.ldb')))).toEqual([]);
  });
});

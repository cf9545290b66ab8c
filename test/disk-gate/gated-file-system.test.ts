import { createFsFromVolume, Volume } from 'memfs';
import { describe, expect, it } from 'vitest';
import { gatedFileSystem, isUnanswered, plainFileSystem } from '../../src/disk-gate/gated-file-system.js';
import type { FileSystem } from '../../src/file-system.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { HangingDisk } from '../support/hanging-disk.js';

describe('a file system behind gates', () => {
  function setUp(folder: string) {
    const volume = Volume.fromJSON({ '/share/a/file': 'a', '/own/file': 'b', '/share/profile/file': 'c' });
    volume.symlinkSync('/share/a', '/link');
    const plain = createFsFromVolume(volume) as unknown as FileSystem;
    const disk = new HangingDisk(plain, folder);
    const clock = new ManualClock();
    const folders = { roots: ['/share', '/own', '/link'], givenUp: ['/share/profile'] };
    const open = () => gatedFileSystem(disk.fs, { folders, clock });
    return { disk, clock, open, fs: open() };
  }
  const nothing = () => undefined;

  it('works as the one behind it', async () => {
    const { fs, disk } = setUp('/share');
    await fs.promises.writeFile('/own/new', 'text');
    await fs.promises.rename('/own/new', '/share/moved');
    const handle = await fs.promises.open('/share/moved', 'r');
    expect((await handle.stat()).size).toBe(4);
    await handle.close();
    expect(await fs.promises.readFile('/share/moved', 'utf8')).toBe('text');
    expect(plainFileSystem(fs).promises).toBe(disk.fs.promises);
  });

  it('asks a share that hangs twice, also for another session, and refuses the rest until it is back', async () => {
    const { fs, open, disk, clock } = setUp('/share');
    disk.goAway();
    const first = fs.promises.stat('/share/a/file');
    first.catch(nothing);
    fs.promises.stat('/share/a/file').catch(nothing);
    await clock.advance(250);
    const third = open().promises.stat('/share/a');
    third.catch(nothing);
    await clock.advance(20_000);
    const error = await third.catch((reason: unknown) => reason);
    expect(isUnanswered(error)).toBe(true);
    await expect(fs.promises.readdir('/share')).rejects.toThrow('the disk of /share does not answer');
    expect(disk.stuck).toHaveLength(2);
    expect(await fs.promises.readFile('/own/file', 'utf8')).toBe('b');
    disk.comeBack();
    await clock.advance(0);
    expect(await fs.promises.readdir('/share')).toContain('a');
  });

  it('gives a call up where nobody else does, and closes a file that is opened after all', async () => {
    const { fs, disk, clock } = setUp('/share');
    disk.goAway();
    const opening = fs.promises.open('/share/profile/file', 'r');
    opening.catch(nothing);
    await clock.advance(20_000);
    await expect(opening).rejects.toThrow('does not answer');
    disk.comeBack();
    await clock.advance(0);
    expect(await fs.promises.readFile('/share/profile/file', 'utf8')).toBe('c');
  });

  it('knows a folder again by its real path', async () => {
    const { fs, disk, clock } = setUp('/share/a');
    expect(await fs.promises.realpath('/link')).toBe('/share/a');
    disk.goAway();
    const paths = ['/share/a/file', '/share/a', '/share/a/file'];
    for (const path of paths) {
      fs.promises.stat(path).catch(nothing);
      await clock.advance(250);
    }
    await clock.advance(20_000);
    expect(disk.stuck).toHaveLength(2);
    disk.comeBack();
  });

  it('names both places where a call between two of them does not come back', async () => {
    const { fs, disk, clock } = setUp('/share');
    disk.goAway();
    const copying = fs.promises.rename('/share/profile/file', '/own/copy');
    copying.catch(nothing);
    await clock.advance(20_000);
    await expect(copying).rejects.toThrow('the disk of /own or of /share does not answer');
    disk.comeBack();
  });

  it('refuses a synchronous write, which would stop the process', async () => {
    const { fs, disk, clock } = setUp('/share');
    disk.goAway();
    for (const path of ['/share/a', '/share/a', '/share/a']) fs.promises.stat(path).catch(nothing);
    await clock.advance(20_000);
    expect(() => fs.writeFileSync?.('/share/note', '')).toThrow('does not answer');
    disk.comeBack();
  });
});

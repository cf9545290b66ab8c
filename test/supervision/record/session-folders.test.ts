import { createFsFromVolume, Volume } from 'memfs';
import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../../src/file-system.js';
import { SessionFolders } from '../../../src/supervision/record/session-folders.js';
import { failingFileSystem } from '../../../src/testing/failing-file-system.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { INDEXED_DB } from '../../support/fake-stage.js';

const PROFILE = '/bot/session';
const BESIDE = '/bot/.session.persistent';
const CURRENT = `${INDEXED_DB}/CURRENT`;
const FOR_EVER = Number.POSITIVE_INFINITY;

describe('the folders of a session on Windows, where a scanner keeps files busy', () => {
  async function setup(platform: NodeJS.Platform = 'win32') {
    const disk = createFsFromVolume(Volume.fromJSON({ [`${PROFILE}/${CURRENT}`]: 'old' }));
    const fs = failingFileSystem(disk as unknown as FileSystem);
    const clock = new ManualClock();
    const parameters = { fs, clock, platform, random: () => 0.5, announce: () => undefined };
    const folders = new SessionFolders(PROFILE, parameters);
    const next = new SessionFolders(PROFILE, parameters); // of the next process
    const staged = await folders.createStaging();
    await fs.promises.mkdir(`${staged}/${INDEXED_DB}`, { recursive: true });
    await fs.promises.writeFile(`${staged}/${CURRENT}`, 'new');
    const current = async () => String(await fs.promises.readFile(`${PROFILE}/${CURRENT}`, 'utf8'));
    /** Renames of the profile itself: of the folder that a scanner, or a mount, holds. */
    const ofProfile = { operation: 'rename', path: /^\/bot\/session$/ };
    return { fs, clock, folders, next, staged, current, ofProfile };
  }

  it.each(['EBUSY', 'EPERM', 'EACCES'])(
    'install a profile although %s refuses it for a moment',
    async (errno) => {
      const { fs, clock, folders, staged, current, ofProfile } = await setup();
      fs.arm({ ...ofProfile, failOn: 1, times: 3, errno });
      const quarantined = await clock.advanceUntil(folders.install(staged, 'corrupt'));
      expect(await current()).toBe('new');
      expect(quarantined).toContain(`${BESIDE}/quarantine/`); // the folder as a whole: it is no mount point
      expect(String(await fs.promises.readFile(`${quarantined}/profile/${CURRENT}`, 'utf8'))).toBe('old');
    },
  );

  it('take a profile that stays busy for a mount point, and replace its parts', async () => {
    const { fs, clock, folders, staged, current, ofProfile } = await setup();
    fs.arm({ ...ofProfile, failOn: 1, times: FOR_EVER, errno: 'EBUSY' });
    const quarantined = await clock.advanceUntil(folders.install(staged, 'corrupt'));
    expect(await current()).toBe('new');
    expect(quarantined).toContain(`${PROFILE}/.persistent/quarantine/`);
    expect(fs.calls.filter(({ failed }) => failed)).toHaveLength(8);
    expect(clock.monotonic()).toBeLessThan(2000);
  });

  it('do not wait for a mount point elsewhere', async () => {
    const { fs, folders, staged, ofProfile } = await setup('linux');
    fs.arm({ ...ofProfile, failOn: 1, times: FOR_EVER, errno: 'EBUSY' });
    expect(await folders.install(staged, 'corrupt')).toContain(`${PROFILE}/.persistent/`);
  });

  it('put a profile aside', async () => {
    const { fs, clock, folders, ofProfile } = await setup();
    fs.arm({ ...ofProfile, failOn: 1, times: 3, errno: 'EPERM' });
    await clock.advanceUntil(folders.quarantine('damaged'));
    await expect(fs.promises.lstat(PROFILE)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('finish an installation that was cut short', async () => {
    const { fs, clock, folders, staged, current } = await setup();
    // The fourth rename would put the new profile in place; nor can anything be undone.
    fs.arm({ operation: 'rename', failOn: 4, times: FOR_EVER, errno: 'ECRASH' });
    await expect(folders.install(staged, 'corrupt')).rejects.toMatchObject({ code: 'ECRASH' });
    fs.arm({ operation: 'rename', failOn: 1, times: 3, errno: 'EBUSY' });
    await clock.advanceUntil(folders.recoverInstall());
    expect(await current()).toBe('new');
  });

  it.each([
    [
      'a staging folder',
      ({ folders, staged }: { folders: SessionFolders; staged: string }) => folders.removeStaging(staged),
    ],
    ['what killed processes left', ({ next }: { next: SessionFolders }) => next.removeLeftovers()],
    ['everything', ({ folders }: { folders: SessionFolders }) => folders.clear()],
  ])('remove %s', async (_, remove) => {
    const { fs, clock, folders, next, staged } = await setup();
    fs.arm({ operation: /^(rename|rm)$/, failOn: 1, times: 3, errno: 'EBUSY' });
    await clock.advanceUntil(Promise.resolve(remove({ folders, next, staged })));
    expect(fs.calls.filter(({ failed }) => failed)).toHaveLength(3);
    await expect(fs.promises.lstat(staged)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('keep a staging folder whose copy is still on its way into a store', async () => {
    const { fs, folders, staged, next } = await setup();
    await folders.removeLeftovers();
    await fs.promises.lstat(staged);
    await next.removeLeftovers();
    await expect(fs.promises.lstat(staged)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('tell what stays busy, after a bounded time', async () => {
    const { fs, clock, folders, staged } = await setup();
    fs.arm({ operation: 'rm', failOn: 1, times: FOR_EVER, errno: 'EBUSY' });
    await expect(clock.advanceUntil(folders.removeStaging(staged))).rejects.toMatchObject({ code: 'EBUSY' });
    expect(clock.monotonic()).toBeLessThan(2000);
  });
});

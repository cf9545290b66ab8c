import { createFsFromVolume, Volume } from 'memfs';
import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../src/file-system.js';
import { clearProfile } from '../../src/profile/clear-profile.js';
import { ESSENTIAL_PATHS } from '../../src/profile/essential-files.js';
import { failingFileSystem } from '../../src/testing/failing-file-system.js';

const INDEXED_DB = `/data/bot/${ESSENTIAL_PATHS.indexedDbLevelDb}/CURRENT`;
const BLOB = `/data/bot/${ESSENTIAL_PATHS.indexedDbBlobs}/1/0/0`;
const LOCAL_STORAGE = `/data/bot/${ESSENTIAL_PATHS.localStorageLevelDb}/CURRENT`;
const QUARANTINED = '/data/.bot.persistent/quarantine/one/profile/Default/x';

function disk() {
  const volume = Volume.fromJSON({
    [INDEXED_DB]: 'a',
    [BLOB]: 'b',
    [LOCAL_STORAGE]: 'c',
    [QUARANTINED]: 'd',
    '/data/other': 'e',
  });
  const fs = createFsFromVolume(volume) as unknown as FileSystem;
  return { fs, paths: () => Object.keys(volume.toJSON()).sort() };
}

describe('clearProfile', () => {
  it('deletes the profile and what lies beside it, and nothing else', async () => {
    const { fs, paths } = disk();
    await clearProfile('/data/bot', { fs });
    expect(paths()).toEqual(['/data/other']);
    await clearProfile('/data/bot', { fs });
    expect(paths()).toEqual(['/data/other']);
  });

  it('leaves what another room keeps beside the profile', async () => {
    const { fs, paths } = disk();
    await fs.promises.mkdir('/data/.bot.persistent/lease', { recursive: true });
    await fs.promises.writeFile('/data/.bot.persistent/lease/bot.7.lease', 'held');
    await clearProfile('/data/bot', { fs, keep: ['lease'] });
    expect(paths()).toEqual(['/data/.bot.persistent/lease/bot.7.lease', '/data/other']);
  });

  it('has the whole profile in its place or nothing of it, wherever the process dies', async () => {
    for (let failOn = 1; ; failOn++) {
      const { fs, paths } = disk();
      const dying = failingFileSystem(fs, { failOn, times: Number.POSITIVE_INFINITY });
      const outcome = await clearProfile('/data/bot', { fs: dying }).then(
        () => 'cleared',
        () => 'died',
      );
      const left = paths().filter((path) => [INDEXED_DB, BLOB, LOCAL_STORAGE].includes(path));
      expect([0, 3], `call ${failOn}: ${dying.calls.at(-1)?.operation}`).toContain(left.length);
      await clearProfile('/data/bot', { fs });
      expect(paths()).toEqual(['/data/other']);
      if (outcome === 'cleared') break;
      expect(failOn).toBeLessThan(100);
    }
  });

  it('empties a profile that can not be renamed because it is a mount point', async () => {
    const { fs, paths } = disk();
    const mounted = failingFileSystem(fs, {
      operation: 'rename',
      path: /^\/data\/bot$/,
      failOn: 1,
      errno: 'EBUSY',
    });
    await clearProfile('/data/bot', { fs: mounted });
    expect(mounted.matchingCalls).toBe(1);
    expect(paths()).toEqual(['/data/other']);
  });
});

import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemFileSystem } from '../../src/file-system.js';
import { ProfilePresence } from '../../src/profile/profile-presence.js';
import { failingFileSystem } from '../../src/testing/failing-file-system.js';
import { writeFakeProfile } from '../../src/testing/fake-profile.js';

/** On a real disk: what tells one folder from the next of the same name is its own. */
describe('whether the login in a profile is still there', () => {
  const fs = failingFileSystem(systemFileSystem);
  let folder = '';
  let profileDir = '';
  let presence: ProfilePresence;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wwebjs-presence-'));
    profileDir = join(folder, 'auth', 'session-shop');
    await writeFakeProfile(systemFileSystem, profileDir, { credential: 'a', note: 'b' });
    presence = new ProfilePresence(profileDir, { fs });
    await presence.note();
  });

  afterEach(async () => {
    fs.arm({});
    await rm(folder, { recursive: true, force: true });
  });

  it('is, as long as anything of it is', async () => {
    expect(await presence.isRemoved()).toBe(false);
    await rm(join(profileDir, 'Default/IndexedDB'), { recursive: true });
    expect(await presence.isRemoved()).toBe(false);
  });

  it.each(['auth', 'auth/session-shop', 'auth/session-shop/Default'])(
    'is not, when %s is deleted',
    async (path) => {
      await rm(join(folder, path), { recursive: true });
      expect(await presence.isEmpty()).toBe(true);
      expect(await presence.isRemoved()).toBe(true);
      presence.forget();
      expect(await presence.isRemoved()).toBe(false);
    },
  );

  it('is not told of a profile that was never seen with a login', async () => {
    const other = new ProfilePresence(join(folder, 'nowhere'), { fs });
    await other.note();
    expect(await other.isEmpty()).toBe(true);
    expect(await other.isRemoved()).toBe(false);
  });

  it('is not judged by a disk that fails', async () => {
    await rm(profileDir, { recursive: true });
    fs.arm({ operation: 'lstat', failOn: 1, times: Number.POSITIVE_INFINITY, errno: 'EIO' });
    expect(await presence.isRemoved()).toBe(false);
  });

  it('what a browser makes anew in its place is deleted', async () => {
    await rm(profileDir, { recursive: true });
    await mkdir(join(folder, 'keeps-the-inode'));
    await mkdir(join(profileDir, 'Default'), { recursive: true });
    await writeFile(join(profileDir, 'Default/Preferences'), '{}');
    await presence.removeRemade();
    await expect(systemFileSystem.promises.lstat(profileDir)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('what is left in the same folder stays, and so does a folder with a login in it', async () => {
    await rm(join(profileDir, 'Default'), { recursive: true });
    await writeFile(join(profileDir, 'Local State'), '{}');
    await presence.removeRemade();
    await systemFileSystem.promises.lstat(join(profileDir, 'Local State'));
    await rename(profileDir, join(folder, 'old'));
    await writeFakeProfile(systemFileSystem, profileDir, { credential: 'c', note: 'd' });
    await presence.removeRemade();
    expect(await presence.isEmpty()).toBe(false);
  });
});

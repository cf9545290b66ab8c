import fs from 'node:fs';
import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../src/file-system.js';
import { PROFILE_CACHES, profileSize, pruneCaches, ROOT_CACHES } from '../../src/profile/caches.js';
import { isEssential, listEssentialFiles } from '../../src/profile/essential-files.js';
import { checkProfile } from '../../src/profile/soundness.js';
import { loggedInFiles, makeProfile, temporaryFolder, writeTree } from './profiles.js';

const cached = {
  'Default/Cache/Cache_Data/index': 'x'.repeat(10),
  'Default/Code Cache/js/0123_0': 'x'.repeat(20),
  'Default/GPUCache/data_0': 'x'.repeat(30),
  'Default/Service Worker/CacheStorage/a/b/c': 'x'.repeat(40),
  'Default/Service Worker/ScriptCache/index': 'x'.repeat(50),
  'GrShaderCache/data_0': 'x'.repeat(60),
  'BrowserMetrics-6543.pma': 'x'.repeat(70),
  'Crashpad/pending/1.dmp': 'x'.repeat(80),
  'Profile 1/Cache/index': 'x'.repeat(90),
};
const kept = {
  ...loggedInFiles(),
  'Default/Cookies': 'cookies',
  'Default/Service Worker/Database/CURRENT': 'MANIFEST-000001',
  'Profile 1/Preferences': '{}',
  'Documents/Cache/thesis.txt': 'not a profile folder',
};
delete (kept as Record<string, unknown>)['Default/Cache/Cache_Data/index'];

describe('pruning caches', () => {
  it('deletes what Chromium only caches, says how much, and leaves all else', async () => {
    const profileDir = await makeProfile({ ...kept, ...cached });
    const essential = await listEssentialFiles(profileDir, { fs });
    expect(await pruneCaches(profileDir, { fs })).toEqual({ freedBytes: 450, files: 9 });
    for (const file of Object.keys(cached)) expect(fs.existsSync(path.join(profileDir, file))).toBe(false);
    for (const file of Object.keys(kept)) expect(fs.existsSync(path.join(profileDir, file))).toBe(true);
    expect(fs.existsSync(path.join(profileDir, 'Default/Cache'))).toBe(false);
    expect(await listEssentialFiles(profileDir, { fs })).toEqual(essential);
    expect((await checkProfile(profileDir, { fs, depth: 'deep' })).verdict).toBe('sound');
    expect(await pruneCaches(profileDir, { fs })).toEqual({ freedBytes: 0, files: 0 });
  });

  it('knows no cache that is essential', () => {
    for (const cache of PROFILE_CACHES) expect(isEssential(`Default/${cache}/x`)).toBe(false);
    for (const cache of ROOT_CACHES) expect(isEssential(`${cache}/x`)).toBe(false);
  });

  it('leaves a cache alone that is a link to another disk', async () => {
    const elsewhere = await temporaryFolder();
    await writeTree(elsewhere, { 'kept/file': 'mine' });
    fs.mkdirSync(path.join(elsewhere, 'empty'));
    const profileDir = await makeProfile({ 'Default/Preferences': '{}' });
    await symlink(elsewhere, path.join(profileDir, 'Default/Cache'));
    expect(await pruneCaches(profileDir, { fs })).toEqual({ freedBytes: 0, files: 0 });
    expect(fs.readdirSync(elsewhere).sort()).toEqual(['empty', 'kept']);
    expect(fs.existsSync(path.join(profileDir, 'Default/Cache'))).toBe(true);
  });

  it('counts only what really went (a file may be held open on Windows)', async () => {
    const profileDir = await makeProfile({ ...kept, ...cached });
    const unlink: typeof fs.promises.unlink = async (file) => {
      if (String(file).endsWith('data_0')) throw Object.assign(new Error('busy'), { code: 'EBUSY' });
      return fs.promises.unlink(file);
    };
    const busy: FileSystem = { ...fs, promises: { ...fs.promises, unlink } };
    expect(await pruneCaches(profileDir, { fs: busy })).toEqual({ freedBytes: 360, files: 7 });
  });

  it('does nothing without a profile', async () => {
    expect(await pruneCaches('/nowhere', { fs })).toEqual({ freedBytes: 0, files: 0 });
  });
});

describe('the size of a profile', () => {
  it('tells the essential part from the whole', async () => {
    const profileDir = await makeProfile({ ...kept, ...cached });
    const essential = await listEssentialFiles(profileDir, { fs });
    const size = await profileSize(profileDir, { fs });
    expect(size.essentialBytes).toBe(essential.reduce((sum, file) => sum + file.size, 0));
    expect(size.totalBytes).toBeGreaterThan(size.essentialBytes + 450);
    expect(size.essentialModifiedMs).toBeGreaterThan(0);
    expect(size).toMatchObject({ files: Object.keys({ ...kept, ...cached }).length, truncated: false });
  });

  it('is 0 without a profile', async () => {
    expect(await profileSize('/nowhere', { fs })).toMatchObject({
      totalBytes: 0,
      essentialBytes: 0,
      files: 0,
      essentialModifiedMs: 0,
    });
  });
});

import fs from 'node:fs';
import { mkdir, symlink, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../src/file-system.js';
import { readProfileLock, removeProfileLocks } from '../../src/profile/profile-lock.js';
import { temporaryFolder } from './profiles.js';

async function locked(target: string) {
  const profileDir = await temporaryFolder();
  await symlink(target, path.join(profileDir, 'SingletonLock'));
  await symlink('12345678', path.join(profileDir, 'SingletonCookie'));
  await symlink('/gone/SingletonSocket', path.join(profileDir, 'SingletonSocket'));
  return profileDir;
}

const options = { fs, hostname: 'my-host', isAlive: (pid: number) => pid === 100 };

describe('the lock of a profile', () => {
  it.each([
    ['my-host-100', { kind: 'live', host: 'my-host', pid: 100 }],
    ['my-host-101', { kind: 'dead', host: 'my-host', pid: 101 }],
    ['other-host-100', { kind: 'other-host', host: 'other-host', pid: 100 }],
    ['-100', { kind: 'other-host', host: '', pid: 100 }],
    ['no pid', { kind: 'unreadable' }],
    ['my-host-', { kind: 'unreadable' }],
  ])('%s is read as %o', async (target, expected) => {
    expect(await readProfileLock(await locked(target), options)).toEqual(expected);
  });

  it('is none where there is no lock, or no profile', async () => {
    expect(await readProfileLock(await temporaryFolder(), options)).toEqual({ kind: 'none' });
    expect(await readProfileLock('/nowhere', options)).toEqual({ kind: 'none' });
  });

  it('is unreadable when it is no link', async () => {
    const profileDir = await temporaryFolder();
    await writeFile(path.join(profileDir, 'SingletonLock'), 'my-host-100');
    expect(await readProfileLock(profileDir, options)).toEqual({ kind: 'unreadable' });
  });

  it('passes on what keeps it from being read', async () => {
    const readlink = async () => Promise.reject(Object.assign(new Error('denied'), { code: 'EACCES' }));
    const denied: FileSystem = { ...fs, promises: { ...fs.promises, readlink } };
    await expect(readProfileLock('/x', { ...options, fs: denied })).rejects.toThrow('denied');
  });

  it('is removed only on demand, with its cookie and socket', async () => {
    const profileDir = await locked('other-host-100');
    await writeFile(path.join(profileDir, 'Local State'), '{}');
    await readProfileLock(profileDir, options);
    expect(fs.readdirSync(profileDir).length).toBe(4);
    expect(await removeProfileLocks(profileDir, { fs })).toEqual([
      'SingletonLock',
      'SingletonCookie',
      'SingletonSocket',
    ]);
    expect(fs.readdirSync(profileDir)).toEqual(['Local State']);
    expect(await removeProfileLocks(profileDir, { fs })).toEqual([]);
    expect(await removeProfileLocks('/nowhere', { fs })).toEqual([]);
  });

  it.each([
    ['goes with it when its cookie is the same', '12345678', false],
    ['stays when its cookie is another', '999', true],
  ])('the folder of its socket %s', async (_name, cookie, stays) => {
    const socketFolder = await temporaryFolder();
    await writeFile(path.join(socketFolder, 'SingletonSocket'), '');
    await symlink(cookie, path.join(socketFolder, 'SingletonCookie'));
    const profileDir = await locked('my-host-101');
    await unlink(path.join(profileDir, 'SingletonSocket'));
    await symlink(path.join(socketFolder, 'SingletonSocket'), path.join(profileDir, 'SingletonSocket'));
    await removeProfileLocks(profileDir, { fs });
    expect(fs.existsSync(socketFolder)).toBe(stays);
    expect(fs.readdirSync(profileDir)).toEqual([]);
  });

  it('is not said to be removed when it was not', async () => {
    const profileDir = await temporaryFolder();
    await mkdir(path.join(profileDir, 'SingletonLock'));
    await expect(removeProfileLocks(profileDir, { fs })).rejects.toThrow();
  });
});

import type { BigIntStats } from 'node:fs';
import { dirname, join } from 'node:path';
import { whileBusy } from '../../busy.js';
import { errnoOf, StoreError } from '../../errors.js';
import { improve, makeFolders, PRIVATE_FOLDER_MODE } from '../../file-system.js';
import { type Disk, refused, unless } from './disk.js';

/** The path of an object, whether it exists or not. */
export function pathOf(disk: Disk, key: string): string {
  return join(disk.root, ...key.split('/'));
}

/**
 * The file of a key; `undefined` if there is none.
 * Links below the root are never followed, so that a planted link can't make the store read or write elsewhere.
 */
export async function findObject(disk: Disk, key: string): Promise<BigIntStats | undefined> {
  const names = key.split('/');
  if ((await findFolder(disk, names.slice(0, -1))) === undefined) return undefined;
  const stats = await unless(
    ['ENOENT', 'ENOTDIR'],
    disk.fs.promises.lstat(pathOf(disk, key), { bigint: true }),
  );
  if (stats?.isSymbolicLink()) throw symbolicLink(key);
  return stats?.isFile() ? stats : undefined;
}

/** The folder with these names below the root; `undefined` if it does not exist. */
export async function findFolder(disk: Disk, names: readonly string[]): Promise<string | undefined> {
  if (!(await rootExists(disk))) return undefined;
  let folder = disk.root;
  for (const name of names) {
    folder = join(folder, name);
    const stats = await unless(['ENOENT', 'ENOTDIR'], disk.fs.promises.lstat(folder));
    if (stats?.isSymbolicLink()) throw symbolicLink(names.join('/'));
    if (!stats?.isDirectory()) return undefined;
  }
  return folder;
}

/** Creates the folder with these names where it is missing, and flushes its entry to the disk. */
export async function makeFolder(disk: Disk, names: readonly string[]): Promise<string> {
  if (!(await rootExists(disk))) await createFolder(disk, disk.root);
  let folder = disk.root;
  for (const name of names) {
    folder = join(folder, name);
    const stats = await unless(['ENOENT'], disk.fs.promises.lstat(folder));
    if (stats === undefined) await createFolder(disk, folder);
    else if (stats.isSymbolicLink()) throw symbolicLink(names.join('/'));
    else if (!stats.isDirectory()) throw inTheWay(names.join('/'), 'an object', 'folder');
  }
  return folder;
}

/** Removes the folders of `key` that are empty now, innermost first, never the root. Optional, so it never fails. */
export async function pruneFolders(disk: Disk, key: string): Promise<void> {
  const names = key.split('/').slice(0, -1);
  for (; names.length > 0; names.pop()) {
    try {
      await disk.fs.promises.rmdir(join(disk.root, ...names));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') return; // not empty, most likely
    }
  }
}

/**
 * Flushes the names in a folder to the disk; without this, a renamed file may be gone after a power loss. Windows and
 * some network mounts can't do it. A folder that no longer exists was removed by a concurrent delete, with everything
 * in it.
 */
export async function syncFolder(disk: Disk, folder: string): Promise<void> {
  const sync = improve(async () => {
    const handle = await whileBusy(disk, () => disk.fs.promises.open(folder, 'r'));
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
  await unless(['ENOENT'], sync);
}

/** The error of a key at whose path there is something else. */
export function inTheWay(key: string, what: string, wanted: string): StoreError {
  return new StoreError(`"${key}" can't be a ${wanted}: ${what} has that name`, { retryable: false });
}

/** The root itself may be a link, for example to a mounted volume; if its target is missing, the store is down. */
async function rootExists({ fs, root }: Disk): Promise<boolean> {
  const stats = await unless(['ENOENT'], fs.promises.stat(root));
  if (stats?.isDirectory()) return true;
  if (stats !== undefined) throw new StoreError("the store's root is not a folder", { retryable: false });
  const entry = await unless(['ENOENT'], fs.promises.lstat(root));
  if (entry?.isSymbolicLink()) {
    throw new StoreError("the store's root is a link that leads nowhere; is the volume mounted?");
  }
  return entry !== undefined; // another process is creating it at this moment
}

async function createFolder(disk: Disk, folder: string): Promise<void> {
  const parent = dirname(folder);
  const create = () => disk.fs.promises.mkdir(folder, { mode: PRIVATE_FOLDER_MODE });
  try {
    await create();
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return;
    // Below the root, a parent that vanished was removed by a concurrent delete, so the whole put starts again.
    if (errnoOf(error) !== 'ENOENT' || folder !== disk.root || parent === folder) throw error;
    await makeFolders(disk.fs, parent);
    // Another put may have created the root since.
    await unless(['EEXIST'], create());
  }
  // mkdir's mode passes through the umask
  await improve(() => disk.fs.promises.chmod(folder, PRIVATE_FOLDER_MODE), refused(disk, 'modes of folders'));
  await syncFolder(disk, parent);
}

function symbolicLink(key: string): StoreError {
  return new StoreError(`"${key}" leads through a symbolic link, which may leave the store's root`, {
    retryable: false,
  });
}

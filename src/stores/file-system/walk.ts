import type { Dirent } from 'node:fs';
import { join } from 'node:path';
import { whileBusy } from '../../busy.js';
import { isDenied } from '../../file-system.js';
import { throwIfAborted } from '../body.js';
import { type Disk, unless } from './disk.js';

/** The maximum number of names in a portable key. */
const MAX_DEPTH = 32;

/** A plain file below the root. */
export interface WalkedFile {
  /** Relative to the root, `/` between names. */
  readonly key: string;
  readonly name: string;
  readonly path: string;
}

export interface WalkOptions {
  /** Folders for which this is false are not entered. `key` ends with `/`. */
  readonly enter?: (key: string) => boolean;
  readonly signal?: AbortSignal | undefined;
  /** Whether the folder was found during the walk, and is not its start. Default false. */
  readonly isBelow?: boolean;
}

/**
 * Every plain file below `folder` (whose names are `names`), folder by folder, sorted by name in each. Follows no
 * links. Files that vanish during the walk are left out, and so is a subfolder that may not be read, for example
 * `lost+found`, because it contains no objects of this store.
 */
export async function* walk(
  disk: Disk,
  folder: string,
  names: readonly string[],
  options: WalkOptions = {},
): AsyncGenerator<WalkedFile, void, void> {
  throwIfAborted(options.signal);
  const entries = await entriesOf(disk, folder, names, options);
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const { name } = entry;
    const path = join(folder, name);
    const below = [...names, name];
    const key = below.join('/');
    if (entry.isFile()) yield { key, name, path };
    else if (entry.isDirectory() && below.length < MAX_DEPTH && (options.enter?.(`${key}/`) ?? true)) {
      yield* walk(disk, path, below, { ...options, isBelow: true });
    }
  }
}

async function entriesOf(
  disk: Disk,
  folder: string,
  names: readonly string[],
  { signal, isBelow = false }: WalkOptions,
): Promise<Dirent[]> {
  const read = () => disk.fs.promises.readdir(folder, { withFileTypes: true });
  try {
    return (await unless(['ENOENT', 'ENOTDIR'], whileBusy(disk, read, signal))) ?? [];
  } catch (error) {
    if (!isBelow || !isDenied(error)) throw error;
    disk.onNotice(`"${names.join('/')}" in it may not be read, and is skipped`);
    return [];
  }
}

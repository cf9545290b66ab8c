import { join } from 'node:path';
import { throwIfAborted } from '../body.js';
import { type Disk, unless, whileBusy } from './disk.js';

/** No portable key has more names than this. */
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
}

/**
 * Every plain file below `folder` (whose names are `names`), folder by folder, sorted by name in each.
 * Follows no links. What vanishes during the walk is passed over.
 */
export async function* walk(
  disk: Disk,
  folder: string,
  names: readonly string[],
  options: WalkOptions = {},
): AsyncGenerator<WalkedFile, void, void> {
  throwIfAborted(options.signal);
  const read = () => disk.fs.promises.readdir(folder, { withFileTypes: true });
  const entries = (await unless(['ENOENT', 'ENOTDIR'], whileBusy(disk, read, options.signal))) ?? [];
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const { name } = entry;
    const path = join(folder, name);
    const below = [...names, name];
    const key = below.join('/');
    if (entry.isFile()) yield { key, name, path };
    else if (entry.isDirectory() && below.length < MAX_DEPTH && (options.enter?.(`${key}/`) ?? true)) {
      yield* walk(disk, path, below, options);
    }
  }
}

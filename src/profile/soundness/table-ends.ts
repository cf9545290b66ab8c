import { plainFileSystem } from '../../disk-gate/gated-file-system.js';
import type { FileSystem } from '../../file-system.js';
import type { FileSignature } from '../../types.js';
import type { EssentialFile } from '../essential-files.js';
import { isTablePath } from '../sound-tables.js';
import { sameSignature } from '../walk.js';

/** Profiles of one thread that are remembered; with more, the longest known one is forgotten. */
const MOST_PROFILES = 200;

/** Of this thread, by disk. */
const ofDisk = new WeakMap<object, TableEnds>();

type Ends = ReadonlyMap<string, FileSignature>;

/**
 * Remembers the tables of live profiles whose end was read. The quick check of a live profile runs every few seconds, and
 * a table never changes (docs/chromium-facts.md F1.3), so one with the same signature is not opened again.
 */
class TableEnds {
  readonly #profiles = new Map<string, Ends>();

  /** The sizes of the tables that need not be opened, by path. */
  known(profileDir: string, present: readonly EssentialFile[]): ReadonlyMap<string, number> {
    const ends = this.#profiles.get(profileDir);
    const isKnown = ({ path, signature }: EssentialFile) => {
      const known = ends?.get(path);
      return known !== undefined && sameSignature(known, signature);
    };
    return new Map(present.filter(isKnown).map(({ path, size }) => [path, size]));
  }

  /** @param wasRead whether the end of this table was read, now or before */
  remember(profileDir: string, present: readonly EssentialFile[], wasRead: (path: string) => boolean): void {
    const ends = present.filter(({ path }) => isTablePath(path) && wasRead(path));
    this.#profiles.delete(profileDir);
    this.#profiles.set(profileDir, new Map(ends.map(({ path, signature }) => [path, signature])));
    const [oldest] = this.#profiles.keys();
    if (this.#profiles.size > MOST_PROFILES && oldest !== undefined) this.#profiles.delete(oldest);
  }
}

/** What this thread remembers of a disk. */
export function tableEndsOf(fs: FileSystem): TableEnds {
  const { promises } = plainFileSystem(fs);
  const known = ofDisk.get(promises) ?? new TableEnds();
  ofDisk.set(promises, known);
  return known;
}

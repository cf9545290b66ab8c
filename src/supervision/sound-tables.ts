import type { CapturedFile, CapturedTree, FileSignature } from '../types.js';

const TABLE = /\.(?:ldb|sst)$/;

/**
 * Which tables of the live profile a deep check has found sound. A table never changes once it is written (FACTS 1.3),
 * so that one with the signature it had then needs no second reading of its blocks: a save that finds little changed
 * reads little.
 */
export class SoundTables {
  #known: ReadonlyMap<string, FileSignature> = new Map();

  /** The tables of a capture that are known to be sound. */
  in(tree: CapturedTree): readonly string[] {
    return tablesOf(tree).flatMap((file) => (isSame(this.#known.get(file.path), file) ? [file.path] : []));
  }

  /** A deep check found this capture sound. */
  remember(tree: CapturedTree): void {
    this.#known = new Map(tablesOf(tree).map(({ path, source }) => [path, source]));
  }

  /** After any doubt: the next check reads everything. */
  clear(): void {
    this.#known = new Map();
  }
}

function tablesOf({ files }: CapturedTree): readonly CapturedFile[] {
  return files.filter(({ path, size, source }) => TABLE.test(path) && size === source.size);
}

function isSame(known: FileSignature | undefined, { source }: CapturedFile): boolean {
  return (
    known !== undefined &&
    known.size === source.size &&
    known.mtimeNs === source.mtimeNs &&
    known.inode === source.inode
  );
}

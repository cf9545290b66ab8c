import type { StoreCallOptions } from '../../stores/session-store.js';
import type { SnapshotFile } from '../../types.js';
import type { FileHash } from '../hashing/hashing.js';
import type { ContentReader, Places } from './content-reader.js';
import type { Proofs } from './proofs.js';
import { ALONE, copyOf, type Stock } from './stock.js';

/** A file no copy of which has its bytes, and what was found instead; `undefined` for nothing. */
export type WrongFile = SnapshotFile & { readonly found: FileHash | undefined };

/**
 * Reads contents, and records which copies have the bytes that they must have. A content is wrong only if each of its
 * copies is; those that are damaged are replaced by the next save all the same.
 *
 * @param at the time of it, ISO 8601
 */
export async function judgeContents(
  files: readonly SnapshotFile[],
  { stock, places }: { readonly stock: Stock; readonly places: Places },
  { reader, proofs, at }: { readonly reader: ContentReader; readonly proofs: Proofs; readonly at: string },
  options: StoreCallOptions,
): Promise<readonly WrongFile[]> {
  const copies = files.map((file) => copyOf(file, places.get(file.sha256), stock));
  const alone = new Set(
    files.filter((_, index) => copies[index]?.where === ALONE).map(({ sha256 }) => sha256),
  );
  const packed = new Map([...places].filter(([sha256]) => !alone.has(sha256)));
  const hashes = await reader.hash(files, packed, options);
  const wrong: WrongFile[] = [];
  for (const [index, file] of files.entries()) {
    const found = hashes[index];
    if (isSame(file, found)) {
      proofs.prove(file.sha256, copies[index], at);
    } else {
      proofs.refute(file.sha256, copies[index]);
      wrong.push({ ...file, found });
    }
  }
  const others = wrong.filter(({ sha256 }) => alone.has(sha256) && places.has(sha256));
  const found = others.length === 0 ? [] : await reader.hash(others, places, options);
  const saved = others.filter((file, index) => isSame(file, found[index]));
  return wrong.filter((file) => !saved.includes(file));
}

function isSame({ sha256, size }: SnapshotFile, found: FileHash | undefined): boolean {
  return found?.sha256 === sha256 && found.size === size;
}

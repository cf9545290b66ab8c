import { join } from 'node:path';
import { SnapshotCorruptError } from '../../errors.js';
import type { TaskRunner } from '../../task.js';
import type { CapturedFile, CapturedTree, FileSignature, SnapshotFile } from '../../types.js';
import { hashFilesTask } from './hashing.js';

/** The known hashes of earlier captures. Share one cache between repositories, so that a file is hashed only once. */
export class SignatureCache {
  readonly #known = new Map<string, { readonly signature: FileSignature; readonly sha256: string }>();

  /** The SHA-256 of a file whose live original has not changed since its last capture. */
  lookUp(file: CapturedFile): string | undefined {
    const known = this.#known.get(file.path);
    if (known === undefined || file.size !== known.signature.size) return undefined;
    const { size, mtimeNs, inode } = file.source;
    const same =
      size === known.signature.size && mtimeNs === known.signature.mtimeNs && inode === known.signature.inode;
    return same ? known.sha256 : undefined;
  }

  /** All files with their SHA-256, if they are exactly the files of the last capture and none has changed since. */
  lookUpAll(files: readonly CapturedFile[]): readonly SnapshotFile[] | undefined {
    if (files.length !== this.#known.size) return undefined;
    const known: SnapshotFile[] = [];
    for (const file of files) {
      const sha256 = this.lookUp(file);
      if (sha256 === undefined) return undefined;
      known.push({ path: file.path, size: file.size, sha256 });
    }
    return known;
  }

  /** Replaces the whole cache by the last capture, so that deleted files are forgotten. */
  remember(tree: CapturedTree, files: readonly SnapshotFile[]): void {
    const hashes = new Map(files.map(({ path, sha256 }) => [path, sha256]));
    this.#known.clear();
    for (const { path, size, source } of tree.files) {
      const sha256 = hashes.get(path);
      // Skips a log that grew while it was copied: its signature and its hash describe different bytes.
      if (sha256 !== undefined && source.size === size) this.#known.set(path, { signature: source, sha256 });
    }
  }

  /** Call this after any doubt: then the next capture is read completely. */
  clear(): void {
    this.#known.clear();
  }
}

/** SHA-256 and size of every file of a captured tree; only changed files are read. */
export async function hashTree(
  tree: CapturedTree,
  runner: TaskRunner,
  cache: SignatureCache,
  signal?: AbortSignal,
): Promise<readonly SnapshotFile[]> {
  // Looked up only once, because another repository may change the shared cache while this one waits.
  const known = new Map(tree.files.map((file) => [file.path, file.sha256 ?? cache.lookUp(file)]));
  const unknown = tree.files.filter(({ path }) => known.get(path) === undefined);
  const paths = unknown.map(({ path }) => capturedPath(tree, path));
  const hashes =
    paths.length === 0
      ? []
      : await runner.run(hashFilesTask, { paths }, signal === undefined ? {} : { signal });
  const fresh = new Map(unknown.map(({ path }, index) => [path, hashes[index]]));
  return tree.files.map(({ path, size }) => {
    const found = fresh.has(path) ? fresh.get(path) : { size, sha256: known.get(path) };
    if (found?.sha256 === undefined || found.size !== size) {
      throw new SnapshotCorruptError(`${path} changed while the snapshot was taken`, { retryable: true });
    }
    return { path, size, sha256: found.sha256 };
  });
}

/** The path of a captured file on the disk. */
export function capturedPath(tree: CapturedTree, path: string): string {
  return join(tree.directory, ...path.split('/'));
}

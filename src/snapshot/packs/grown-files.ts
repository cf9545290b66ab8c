import { createHash } from 'node:crypto';
import { defineTask, type TaskRunner } from '../../task.js';
import type { CapturedTree, SnapshotFile } from '../../types.js';
import { mapLimited } from '../concurrency.js';
import { fileBytes } from '../hashing/hashing.js';
import { capturedPath } from '../hashing/tree-hasher.js';
import type { NewContent, OlderContent } from './pack-plan.js';
import type { PackedPlace, PackPiece } from './places.js';

const KiB = 1024;
const MiB = 1024 * KiB;

/** Larger files are put whole; those of a snapshot that lie in several pieces have no more than this together, either. */
const MOST_BYTES = 16 * MiB;
/** A file in more pieces is put whole: each is a part of an object that a restore must read. */
const MOST_PIECES = 200;
/** The last pieces of a file are put again if they are smaller together, so that a log does not crumble. */
const CRUMBS = 16 * KiB;

/** A file of which only the end is new: what comes before lies in packs already. */
export type GrownFile = Required<NewContent>;

/** Whether files begin with an older content of theirs. */
export const beginsWithTask = defineTask<
  { readonly files: readonly { readonly source: string; readonly size: number; readonly sha256: string }[] },
  readonly boolean[]
>('snapshot:begins-with', ({ files }, { fs, signal }) =>
  mapLimited(files, 3, async ({ source, size, sha256 }) => {
    const hash = createHash('sha256');
    let left = size;
    for await (const chunk of fileBytes(fs, source, signal)) {
      hash.update(chunk.subarray(0, left));
      left -= Math.min(left, chunk.length);
      if (left === 0) break;
    }
    return left === 0 && hash.digest('hex') === sha256;
  }),
);

/**
 * Of the files with a new content, those that begin with an older one, as a LevelDB log does that was written on: only their
 * ends are put.
 *
 * @param olderOf the last content of a file that may be built upon
 * @param isSparse whether a capture needs little of a pack, so that it is worth leaving
 */
export async function grownFiles(
  tree: CapturedTree,
  files: readonly SnapshotFile[],
  olderOf: (file: SnapshotFile) => OlderContent | undefined,
  isSparse: (pack: string) => boolean,
  runner: TaskRunner,
  options: { readonly signal?: AbortSignal },
): Promise<readonly GrownFile[]> {
  const candidates = files.flatMap((file) => {
    const older = file.size > MOST_BYTES ? undefined : olderOf(file);
    return older === undefined || older.size >= file.size ? [] : [{ file, older }];
  });
  if (candidates.length === 0) return [];
  const asked = candidates.map(({ file, older: { size, sha256 } }) => ({
    source: capturedPath(tree, file.path),
    size,
    sha256,
  }));
  const isGrown = await runner.run(beginsWithTask, { files: asked }, options);
  let bytes = 0;
  return candidates.flatMap(({ file, older }, index) => {
    const kept = isGrown[index] ? keptOf(older.place, isSparse) : [];
    if (kept.length === 0 || kept.length >= MOST_PIECES || bytes + file.size > MOST_BYTES) return [];
    bytes += file.size;
    return [{ ...file, older, kept, from: lengthOf(kept) }];
  });
}

/** The pieces that are built upon: without crumbs at the end, and those that alone hold a sparse pack. */
function keptOf(place: PackedPlace, isSparse: (pack: string) => boolean): readonly PackPiece[] {
  const kept = [...place];
  let dropped = 0;
  for (let last = kept.at(-1); last !== undefined; last = kept.at(-1)) {
    const most = isSparse(last.pack) ? 2 * CRUMBS : CRUMBS;
    if (dropped + last.length > most) break;
    dropped += last.length;
    kept.pop();
  }
  return kept;
}

function lengthOf(place: PackedPlace): number {
  return place.reduce((sum, { length }) => sum + length, 0);
}

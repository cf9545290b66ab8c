import type { SnapshotFile } from '../../types.js';
import type { PackedPlace } from './places.js';

const MiB = 1024 * 1024;

/** A pack is closed as soon as it has so many bytes; a content of more than this gets an object of its own. */
export const PACK_BYTES = 8 * MiB;

/** A content that the store has not, or of which it has only the beginning. */
export interface NewContent extends SnapshotFile {
  /** The first byte that the store has not; default 0. */
  readonly from?: number;
  /** Where what comes before lies; default: nothing comes before. */
  readonly kept?: PackedPlace;
  /** The older content of the file that this one builds upon. */
  readonly older?: OlderContent;
}

/** An older content of a file that has grown since, and lies in packs. */
export interface OlderContent {
  readonly sha256: string;
  readonly size: number;
  readonly place: PackedPlace;
}

/** Bytes of a content that are put. */
export function newBytesOf({ size, from = 0 }: NewContent): number {
  return size - from;
}

/** How new contents are put: in packs, and each in an object of its own. */
export interface PackPlan {
  readonly packs: readonly (readonly NewContent[])[];
  readonly alone: readonly SnapshotFile[];
}

/**
 * Divides new contents into packs of {@link PACK_BYTES} to twice as much, and one that is smaller. Tables, which last, and
 * what is written anew with every save come into different ones as far as possible, so that packs die as a whole.
 *
 * @param maxObjectBytes the largest object that the store takes
 */
export function planPacks(
  contents: readonly NewContent[],
  maxObjectBytes = Number.POSITIVE_INFINITY,
): PackPlan {
  const alone: SnapshotFile[] = [];
  const packs: NewContent[][] = [];
  let open: NewContent[] = [];
  let bytes = 0;
  const close = () => {
    // A table never grows, and as an object of its own it never lies in a sparse pack.
    const isOneTable = open.length === 1 && open.every(isTable);
    if (isOneTable) alone.push(...open);
    else if (open.length > 0) packs.push(open);
    open = [];
    bytes = 0;
  };
  for (const content of [...contents].sort(lastingFirst)) {
    const size = newBytesOf(content);
    if (size > Math.min(PACK_BYTES, maxObjectBytes)) {
      alone.push(content);
      continue;
    }
    if (bytes + size > maxObjectBytes) close();
    open.push(content);
    bytes += size;
    if (bytes >= PACK_BYTES) close();
  }
  close();
  return { packs, alone };
}

function lastingFirst(a: SnapshotFile, b: SnapshotFile): number {
  return Number(!isTable(a)) - Number(!isTable(b)) || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);
}

/** LevelDB never changes a table once it is written. */
function isTable({ path }: SnapshotFile): boolean {
  return path.endsWith('.ldb');
}

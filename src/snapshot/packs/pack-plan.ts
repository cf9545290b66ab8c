import type { SnapshotFile } from '../../types.js';

const MiB = 1024 * 1024;

/** A pack is closed as soon as it has so many bytes; a content of more than this gets an object of its own. */
export const PACK_BYTES = 8 * MiB;

/** How new contents are put: in packs, and each in an object of its own. */
export interface PackPlan {
  readonly packs: readonly (readonly SnapshotFile[])[];
  readonly alone: readonly SnapshotFile[];
}

/**
 * Divides new contents into packs of {@link PACK_BYTES} to twice as much, and one that is smaller. Tables, which last, and
 * what is written anew with every save come into different ones as far as possible, so that packs die as a whole.
 *
 * @param maxObjectBytes the largest object that the store takes
 */
export function planPacks(
  contents: readonly SnapshotFile[],
  maxObjectBytes = Number.POSITIVE_INFINITY,
): PackPlan {
  const alone: SnapshotFile[] = [];
  const packs: SnapshotFile[][] = [];
  let open: SnapshotFile[] = [];
  let bytes = 0;
  const close = () => {
    // An object that is named by its only content can be replaced by any save that has it.
    if (open.length === 1) alone.push(...open);
    else if (open.length > 1) packs.push(open);
    open = [];
    bytes = 0;
  };
  for (const content of [...contents].sort(lastingFirst)) {
    if (content.size > Math.min(PACK_BYTES, maxObjectBytes)) {
      alone.push(content);
      continue;
    }
    if (bytes + content.size > maxObjectBytes) close();
    open.push(content);
    bytes += content.size;
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

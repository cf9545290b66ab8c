import type { PackedContent } from './pack-runs.js';
import type { PackedPlace } from './places.js';

/** A pack of which a capture needs less than this share is left: it can be deleted once older snapshots are gone. */
const WORTH_KEEPING = 0.5;

/** The least bytes that any save may put again to leave packs. */
const FREE_BYTES = 16 * 1024;
/** What a save puts anyway gives the right to put so many bytes again, then or later. */
const SHARE = 0.25;
const MOST_BYTES = 8 * 1024 * 1024;

/** How many bytes the saves of a process may put again although the store has them, so that space is freed. */
export class MovingAllowance {
  #saved = 0;

  /** @param bytes what a save puts that the store has not */
  earn(bytes: number): void {
    this.#saved = Math.min(MOST_BYTES, this.#saved + bytes * SHARE);
  }

  get bytes(): number {
    return FREE_BYTES + this.#saved;
  }

  spend(bytes: number): void {
    this.#saved = Math.max(0, this.#saved - Math.max(0, bytes - FREE_BYTES));
  }
}

/** How much of each pack a capture needs. */
export class PackUse {
  readonly #used = new Map<string, { readonly size: number; bytes: number }>();

  constructor(places: Iterable<PackedPlace>) {
    for (const place of places) {
      for (const { pack, packSize, length } of place) {
        const entry = this.#used.get(pack) ?? { size: packSize, bytes: 0 };
        this.#used.set(pack, entry);
        entry.bytes += length;
      }
    }
  }

  readonly bytesOf = (pack: string): number => this.#used.get(pack)?.bytes ?? 0;

  /** Whether a pack is worth leaving. */
  readonly isSparse = (pack: string): boolean => {
    const { size, bytes } = this.#used.get(pack) ?? { size: 0, bytes: 0 };
    return bytes < size * WORTH_KEEPING;
  };
}

/**
 * The contents of a capture that are put once more, because they are less than half of the pack that they lie in: the new
 * snapshot then does not need that pack. What is cheapest comes first. A file that lies in several pieces stays where it is,
 * and its packs with it: it is a log, and has an end soon.
 *
 * @param contents those contents of the capture that lie in packs
 * @param grown what is kept of files that have grown
 * @param allowance bytes that may be put again
 */
export function inSparsePacks(
  contents: readonly PackedContent[],
  grown: readonly PackedPlace[],
  allowance: number,
): readonly PackedContent[] {
  const use = new PackUse([...contents.map(({ place }) => place), ...grown]);
  const pieced = contents.filter(({ place }) => place.length > 1).map(({ place }) => place);
  const pinned = new Set([...pieced, ...grown].flat().map(({ pack }) => pack));
  const sparse = new Map<string, PackedContent[]>();
  for (const content of contents) {
    const [{ pack = '' } = {}] = content.place;
    if (pinned.has(pack) || !use.isSparse(pack)) continue;
    sparse.set(pack, [...(sparse.get(pack) ?? []), content]);
  }
  const moved: PackedContent[] = [];
  let left = allowance;
  for (const [pack, own] of [...sparse].sort(([a], [b]) => use.bytesOf(a) - use.bytesOf(b))) {
    if (use.bytesOf(pack) > left) break;
    left -= use.bytesOf(pack);
    moved.push(...own);
  }
  return moved;
}

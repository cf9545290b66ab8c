import type { PackedContent } from './pack-runs.js';

/** A pack of which a capture needs less than this share is left: it can be deleted once older snapshots are gone. */
const WORTH_KEEPING = 0.5;

/** The least bytes that any save may put again to leave packs. */
const FREE_BYTES = 32 * 1024;
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

/**
 * The contents of a capture that are put once more, because they are less than half of the pack that they lie in: the new
 * snapshot then does not need that pack. What is cheapest comes first.
 *
 * @param contents those contents of the capture that lie in packs
 * @param allowance bytes that may be put again
 */
export function inSparsePacks(
  contents: readonly PackedContent[],
  allowance: number,
): readonly PackedContent[] {
  const used = new Map<string, { size: number; bytes: number; contents: PackedContent[] }>();
  for (const content of contents) {
    for (const { pack, packSize, length } of content.place) {
      const entry = used.get(pack) ?? { size: packSize, bytes: 0, contents: [] };
      used.set(pack, entry);
      entry.bytes += length;
      entry.contents.push(content);
    }
  }
  const sparse = [...used.values()].filter(({ size, bytes }) => bytes < size * WORTH_KEEPING);
  const moved = new Set<PackedContent>();
  let left = allowance;
  for (const pack of sparse.sort((a, b) => a.bytes - b.bytes)) {
    const more = new Set(pack.contents.filter((content) => !moved.has(content)));
    const cost = [...more].reduce((sum, { size }) => sum + size, 0);
    if (cost > left) continue;
    left -= cost;
    for (const content of more) moved.add(content);
  }
  return [...moved];
}

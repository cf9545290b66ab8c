import type { SnapshotFile } from '../../types.js';
import type { PackedPlace } from './places.js';

/** A content that lies in packs, and a file that has it. */
export interface PackedContent extends SnapshotFile {
  readonly place: PackedPlace;
}

/** A piece of a content within a run. */
export interface RunPiece {
  readonly content: PackedContent;
  /** The piece's first byte within its content. */
  readonly from: number;
  /** The piece's first byte within the pack. */
  readonly at: number;
  readonly length: number;
}

/** A part of a pack that is read with one call, and the pieces in it, which do not overlap. */
export interface PackRun {
  readonly pack: string;
  readonly at: number;
  readonly length: number;
  readonly pieces: readonly RunPiece[];
}

/** How much may be read that nobody needs, in bytes for each byte that is needed: a call costs more than some bytes. */
const WASTE = 0.4;
/** This much may be read in vain in any case, bytes. */
const FREE_WASTE = 64 * 1024;

/** The fewest parts of packs with which these contents are read, without reading much that lies between them. */
export function planRuns(contents: readonly PackedContent[]): readonly PackRun[] {
  const runs = [...byPack(contents)].flatMap(([pack, pieces]) => adjacent(pack, pieces));
  const gaps = runs.map((run, index) => ({ index, bytes: gapBetween(runs[index - 1], run) }));
  const needed = contents.reduce((sum, { size }) => sum + size, 0);
  let allowed = needed * WASTE + FREE_WASTE;
  const joined = new Set<number>();
  for (const { index, bytes } of gaps.sort((a, b) => a.bytes - b.bytes)) {
    if (bytes > allowed) break;
    allowed -= bytes;
    joined.add(index);
  }
  const merged: OpenRun[] = [];
  for (const [index, run] of runs.entries()) {
    const last = merged.at(-1);
    if (last === undefined || !joined.has(index)) merged.push(run);
    else extend(last, run);
  }
  return merged;
}

/** A run that is still being put together. */
interface OpenRun extends PackRun {
  length: number;
  readonly pieces: RunPiece[];
}

function byPack(contents: readonly PackedContent[]): Map<string, RunPiece[]> {
  const packs = new Map<string, RunPiece[]>();
  for (const content of contents) {
    let from = 0;
    for (const { pack, at, length } of content.place) {
      const pieces = packs.get(pack) ?? [];
      packs.set(pack, pieces);
      pieces.push({ content, from, at, length });
      from += length;
    }
  }
  return packs;
}

/** Runs without gaps, by their place in the pack. Overlapping pieces, of files that begin alike, are read twice. */
function adjacent(pack: string, pieces: RunPiece[]): OpenRun[] {
  const runs: OpenRun[] = [];
  for (const piece of pieces.sort((a, b) => a.at - b.at)) {
    const run = { pack, at: piece.at, length: piece.length, pieces: [piece] };
    const last = runs.at(-1);
    if (last !== undefined && gapBetween(last, run) === 0) extend(last, run);
    else runs.push(run);
  }
  return runs;
}

function gapBetween(before: PackRun | undefined, run: PackRun): number {
  const isBehind = before?.pack === run.pack && run.at >= before.at + before.length;
  return isBehind ? run.at - (before.at + before.length) : Number.POSITIVE_INFINITY;
}

function extend(before: OpenRun, run: PackRun): void {
  before.length = run.at + run.length - before.at;
  for (const piece of run.pieces) before.pieces.push(piece);
}

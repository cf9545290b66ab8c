import type { SnapshotFile } from '../../types.js';
import type { PackedPlace } from '../packs/places.js';
import type { TailEntry, TailSource } from '../tail.js';

const KiB = 1024;
/** The last pieces of a file are put again if they are smaller together, so that a log does not crumble. */
const CRUMBS = 16 * KiB;
/** A last piece is put again with what follows if that is no shorter, up to this: each object of a restore is a call. */
const MOST_MERGED = 64 * KiB;

/** A file of a tail, and where its bytes from `from` on lie. */
export interface PlacedEntry extends TailEntry {
  readonly place: PackedPlace;
}

/** A file whose new bytes, those from `start` on, are put. */
export interface TailMember extends TailSource {
  readonly from: number;
  readonly start: number;
  /** Where the bytes from `from` to `start` lie. */
  readonly kept: PackedPlace;
  /** What it must begin with: what was stored of it. */
  readonly older?: { readonly size: number; readonly sha256: string };
}

export interface TailPlan {
  /** What stays as it is. */
  readonly entries: readonly PlacedEntry[];
  readonly members: readonly TailMember[];
}

/**
 * What of these files neither the save nor its tail has.
 *
 * @param listed the files of the save
 * @param known the files of its tail, by path
 */
export function planTail(
  sources: readonly TailSource[],
  listed: readonly SnapshotFile[],
  known: ReadonlyMap<string, PlacedEntry>,
): TailPlan {
  const inSave = new Map(listed.map((file) => [file.path, file]));
  const entries: PlacedEntry[] = [];
  const members: TailMember[] = [];
  for (const source of sources) {
    const saved = inSave.get(source.path);
    const entry = known.get(source.path);
    if (entry === undefined && saved?.size === source.size) continue;
    if (entry?.size === source.size) entries.push(entry);
    else members.push(memberOf(source, saved, entry));
  }
  return { entries, members };
}

/** Bytes that are put. */
export function newBytesOf(members: readonly Pick<TailMember, 'size' | 'start'>[]): number {
  return members.reduce((sum, { size, start }) => sum + size - start, 0);
}

function memberOf(
  source: TailSource,
  saved: SnapshotFile | undefined,
  entry: PlacedEntry | undefined,
): TailMember {
  const older = entry ?? saved;
  const from = entry?.from ?? saved?.size ?? 0;
  const kept = [...(entry?.place ?? [])];
  let start = older?.size ?? 0;
  let dropped = 0;
  for (let last = kept.at(-1); last !== undefined; last = kept.at(-1)) {
    const pending = source.size - start;
    const isCrumb = dropped + last.length <= CRUMBS;
    const isMerged = last.length <= pending && pending + last.length <= MOST_MERGED;
    if (!isCrumb && !isMerged) break;
    dropped += last.length;
    start -= last.length;
    kept.pop();
  }
  return {
    ...source,
    from,
    start,
    kept,
    ...(older !== undefined && { older: { size: older.size, sha256: older.sha256 } }),
  };
}

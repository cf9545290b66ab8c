import type { PackedFiles, PackedPiece, SnapshotFile, SnapshotManifest } from '../../types.js';

/** Bytes of a content that follow one another in a pack. */
export interface PackPiece {
  /** The name of the pack. */
  readonly pack: string;
  readonly packSize: number;
  /** The first byte in the pack. */
  readonly at: number;
  readonly length: number;
}

/** Where a content lies in packs: all of its bytes, in their order. */
export type PackedPlace = readonly PackPiece[];

type Manifest = Pick<SnapshotManifest, 'files' | 'packs'>;

/** A manifest never changes, so it is looked through once. */
const known = new WeakMap<Manifest, ReadonlyMap<string, PackedPlace>>();

/** Where the contents of a snapshot lie, by SHA-256; those that lie in no pack are left out. */
export function placesOf(manifest: Manifest): ReadonlyMap<string, PackedPlace> {
  const found = known.get(manifest) ?? readPlaces(manifest);
  known.set(manifest, found);
  return found;
}

/** Where contents lie, by SHA-256, as several manifests tell; what the first one tells counts. */
export function placesOfAll(manifests: readonly Manifest[]): ReadonlyMap<string, PackedPlace> {
  const all = new Map<string, PackedPlace>();
  for (const manifest of manifests) {
    for (const [sha256, place] of placesOf(manifest)) if (!all.has(sha256)) all.set(sha256, place);
  }
  return all;
}

/** The packs of a manifest with these files, whose contents lie in these places. */
export function packsOf(
  files: readonly SnapshotFile[],
  places: ReadonlyMap<string, PackedPlace>,
): readonly PackedFiles[] {
  const packs = new Map<string, { sha256: string; size: number; pieces: PackedPiece[] }>();
  const seen = new Set<string>();
  for (const [index, { sha256 }] of files.entries()) {
    if (seen.has(sha256)) continue;
    seen.add(sha256);
    let from = 0;
    for (const { pack, packSize, at, length } of places.get(sha256) ?? []) {
      const entry = packs.get(pack) ?? { sha256: pack, size: packSize, pieces: [] };
      packs.set(pack, entry);
      entry.pieces.push([index, from, at, length]);
      from += length;
    }
  }
  return [...packs.values()];
}

function readPlaces({ files, packs = [] }: Manifest): ReadonlyMap<string, PackedPlace> {
  const pieces = new Map<number, (PackPiece & { readonly from: number })[]>();
  for (const { sha256: pack, size: packSize, pieces: listed } of packs) {
    for (const [file, from, at, length] of listed) {
      const own = pieces.get(file) ?? [];
      pieces.set(file, own);
      own.push({ pack, packSize, at, length, from });
    }
  }
  const places = new Map<string, PackedPlace>();
  for (const [file, own] of pieces) {
    const sha256 = files[file]?.sha256;
    const inOrder = own.sort((a, b) => a.from - b.from);
    const place = inOrder.map(({ pack, packSize, at, length }) => ({ pack, packSize, at, length }));
    if (sha256 !== undefined && !places.has(sha256)) places.set(sha256, place);
  }
  return places;
}

import type { ObjectInfo, SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import type { SnapshotFile } from '../../types.js';
import type { PackedPlace } from '../packs/places.js';
import { listAll } from '../store-calls/store-bytes.js';

/** An object, as the store lists it, or told of it when it was put. */
type Stored = Pick<ObjectInfo, 'size' | 'version'>;

/** The objects of the saves of one client id: contents by their SHA-256, packs by their names. */
export interface Stock {
  readonly contents: ReadonlyMap<string, Stored>;
  readonly packs: ReadonlyMap<string, Stored>;
}

const PACKS = 'packs/';
const PACK_SUFFIX = '.pack';

/** The keys of contents and packs. */
export class ObjectKeys {
  readonly prefix: string;

  constructor(clientId: string) {
    this.prefix = `${clientId}/objects/`;
  }

  /** The object that has this content alone. */
  readonly ofContent = (sha256: string): string => `${this.prefix}${sha256.slice(0, 2)}/${sha256}`;

  readonly ofPack = (pack: string): string => `${this.prefix}${PACKS}${pack}${PACK_SUFFIX}`;

  /** The content or the pack whose key this is; `undefined` for anything else. */
  nameOf(key: string): { readonly content: string } | { readonly pack: string } | undefined {
    const name = key.slice(key.lastIndexOf('/') + 1);
    if (key === this.ofContent(name)) return { content: name };
    const pack = name.slice(0, -PACK_SUFFIX.length);
    return key === this.ofPack(pack) ? { pack } : undefined;
  }
}

export async function readStock(
  store: SessionStore,
  keys: ObjectKeys,
  options: StoreCallOptions,
): Promise<Stock> {
  const contents = new Map<string, Stored>();
  const packs = new Map<string, Stored>();
  for (const info of await listAll(store, keys.prefix, options)) {
    const name = keys.nameOf(info.key);
    if (name === undefined) continue;
    if ('pack' in name) packs.set(name.pack, info);
    else contents.set(name.content, info);
  }
  return { contents, packs };
}

/** One of the copies of a content that a store has. */
export interface Copy {
  /** {@link ALONE}, or {@link whereIn} packs. */
  readonly where: string;
  /** The versions of the objects that it lies in. */
  readonly version: string;
}

/** Where a copy lies that has an object of its own. */
export const ALONE = 'alone';

/** Where a copy lies that is in packs. */
export function whereIn(place: PackedPlace): string {
  return place.map(({ pack, at }) => `${pack}:${at}`).join();
}

/** The packs that a copy lies in. */
export function packsIn({ where }: Copy): readonly string[] {
  return where === ALONE ? [] : where.split(',').map((piece) => piece.slice(0, piece.indexOf(':')));
}

/** The copy of a content that the store has; `undefined` where it has none of this size. */
export function copyOf(
  { sha256, size }: Pick<SnapshotFile, 'sha256' | 'size'>,
  place: PackedPlace | undefined,
  stock: Stock,
): (Copy & { readonly place?: PackedPlace }) | undefined {
  const alone = stock.contents.get(sha256);
  if (alone?.size === size) return { where: ALONE, version: alone.version };
  if (place === undefined) return undefined;
  const versions: string[] = [];
  for (const { pack, packSize } of place) {
    const stored = stock.packs.get(pack);
    if (stored?.size !== packSize) return undefined;
    versions.push(stored.version);
  }
  return { where: whereIn(place), version: versions.join(), place };
}

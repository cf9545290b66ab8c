import type { ObjectInfo, SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import { mapLimited } from '../concurrency.js';
import type { PlaceLogin } from '../repository.js';
import { deleteObject, listAll, putBytes, readStart } from '../store-calls/store-bytes.js';

const MAX_MARKER_BYTES = 1024;
/** More places than a bot has in a year of releases in ever new folders. The oldest are dropped. */
const MAX_PLACES = 100;
const FOLDER = '/places/';
const NAME = /^[0-9a-f]{32}$/;
const LINEAGE = /^[A-Za-z0-9][-\w]{0,127}$/;

/** Whether a key is that of such a marker, of whatever client id. */
export function isPlaceMark(key: string): boolean {
  return key.includes(FOLDER) && key.endsWith('.json');
}

/** The objects `places/<place>.json`: which login belongs to a place; see {@link PlaceLogin}. */
export class PlaceMarkers {
  readonly #store: SessionStore;
  readonly #prefix: string;
  /** What was read, by key, with the version of the object. */
  readonly #known = new Map<string, { readonly version: string; readonly login: PlaceLogin | undefined }>();

  constructor(store: SessionStore, clientId: string) {
    this.#store = store;
    this.#prefix = `${clientId}${FOLDER}`;
  }

  async put(login: PlaceLogin, options: StoreCallOptions): Promise<void> {
    const bytes = Buffer.from(`${JSON.stringify({ format: 1, ...login })}\n`);
    await putBytes(this.#store, `${this.#prefix}${login.place}.json`, bytes, options);
    const markers = await this.#list(options);
    if (markers.length <= MAX_PLACES) return;
    const oldestFirst = [...markers].sort((a, b) => a.modifiedAt.getTime() - b.modifiedAt.getTime());
    for (const { key } of oldestFirst.slice(0, markers.length - MAX_PLACES)) {
      await deleteObject(this.#store, key, options);
    }
  }

  /** A marker that is torn or not ours is left out: what it said is then unknown. */
  async all(options: StoreCallOptions): Promise<readonly PlaceLogin[]> {
    const markers = await this.#list(options);
    const found = await mapLimited(markers, 4, (info) => this.#read(info, options));
    return found.filter((login) => login !== undefined);
  }

  async #list(options: StoreCallOptions): Promise<readonly ObjectInfo[]> {
    const markers = await listAll(this.#store, this.#prefix, options);
    const present = new Set(markers.map(({ key }) => key));
    for (const key of this.#known.keys()) if (!present.has(key)) this.#known.delete(key);
    return markers;
  }

  async #read({ key, version }: ObjectInfo, options: StoreCallOptions): Promise<PlaceLogin | undefined> {
    const known = this.#known.get(key);
    if (known?.version === version) return known.login;
    const bytes = await readStart(this.#store, key, MAX_MARKER_BYTES, options);
    const login = loginIn(bytes, key.slice(this.#prefix.length, -'.json'.length));
    this.#known.set(key, { version, login });
    return login;
  }
}

function loginIn(bytes: Buffer | undefined, name: string): PlaceLogin | undefined {
  try {
    const value: unknown = JSON.parse(bytes?.toString('utf8') ?? '');
    if (typeof value !== 'object' || value === null) return undefined;
    const { format, place, lineage, since } = value as Record<string, unknown>;
    if (format !== 1 || place !== name || !NAME.test(name)) return undefined;
    if (typeof since !== 'string' || Number.isNaN(Date.parse(since))) return undefined;
    if (lineage === undefined) return { place: name, since };
    return typeof lineage === 'string' && LINEAGE.test(lineage) ? { place: name, lineage, since } : undefined;
  } catch {
    return undefined;
  }
}

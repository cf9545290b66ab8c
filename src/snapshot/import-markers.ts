import type { SessionStore, StoreCallOptions } from '../stores/session-store.js';
import type { ImportMark } from './repository.js';
import { listAll, putBytes } from './store-bytes.js';

const NAME = /^([0-9a-f]{16})\.([0-9a-f]{64})\.json$/;

/**
 * `imported/<lineage>/<place>.<content>.json`: which old sessions were taken over, as which pairing. The name says it all: it
 * outlives the snapshot that was made of the old session, which retention removes one day.
 */
export class ImportMarkers {
  readonly #store: SessionStore;
  readonly #prefix: string;

  constructor(store: SessionStore, clientId: string) {
    this.#store = store;
    this.#prefix = `${clientId}/imported/`;
  }

  async put({ lineage, place, content }: ImportMark, options: StoreCallOptions): Promise<void> {
    const key = `${this.#prefix}${lineage}/${place}.${content}.json`;
    await putBytes(this.#store, key, Buffer.from(`${JSON.stringify({ format: 1 })}\n`), options);
  }

  async all(options: StoreCallOptions): Promise<readonly ImportMark[]> {
    const marks: ImportMark[] = [];
    for (const { key } of await listAll(this.#store, this.#prefix, options)) {
      const [lineage = '', name = ''] = key.slice(this.#prefix.length).split('/');
      const [, place, content] = NAME.exec(name) ?? [];
      if (place !== undefined && content !== undefined) marks.push({ lineage, place, content });
    }
    return marks;
  }
}

import type { FileSystemStore } from '../../../src/stores/file-system-store.js';
import type { SessionStore } from '../../../src/stores/session-store.js';

/** The same store without what only a local disk offers, as a remote one: saves put packs, and all bytes come through `get`. */
export function withoutPaths(store: FileSystemStore): SessionStore {
  return {
    name: store.name,
    capabilities: store.capabilities,
    put: (key, body, options) => store.put(key, body, options),
    get: (key, options) => store.get(key, options),
    head: (key, options) => store.head(key, options),
    list: (prefix, options) => store.list(prefix, options),
    delete: (key, options) => store.delete(key, options),
  };
}

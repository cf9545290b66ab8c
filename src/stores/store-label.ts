import { FileSystemStore } from './file-system-store.js';
import type { SessionStore } from './session-store.js';

/** The name of a store in messages about a store that does not answer; for a folder, with its path. */
export function storeLabel(store: SessionStore, name: string = store.name): string {
  return store instanceof FileSystemStore ? `${name} (${store.root})` : name;
}

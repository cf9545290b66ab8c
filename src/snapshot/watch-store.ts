import type { Clock } from '../clock.js';
import type { SessionStore } from '../stores/session-store.js';
import { type NoticeListener, WatchedStore } from '../stores/watched-store.js';

/** The store of a repository as one that never keeps anybody waiting; see {@link WatchedStore}. */
export function watchStore(
  store: SessionStore,
  parts: {
    readonly clock: Clock;
    readonly name: string;
    readonly assertMayWrite: () => void;
    readonly onNotice?: NoticeListener | undefined;
  },
): WatchedStore {
  const { clock, name, assertMayWrite, onNotice } = parts;
  return new WatchedStore(store, {
    clock,
    name,
    onNotice,
    onLatePut: (key) => {
      if (holdsSnapshot(key)) withdraw(store, key, assertMayWrite).catch(() => undefined);
    },
  });
}

/**
 * A snapshot whose put was given up is not to be listed after all: what it needs may have been swept meanwhile, and its
 * bytes were not compared. Its id is nobody else's. Objects and markers are right whenever they come.
 */
async function withdraw(store: SessionStore, key: string, assertMayWrite: () => void): Promise<void> {
  assertMayWrite();
  await store.delete(key);
}

function holdsSnapshot(key: string): boolean {
  return key.endsWith('.zip') || key.split('/')[1] === 'snapshots';
}

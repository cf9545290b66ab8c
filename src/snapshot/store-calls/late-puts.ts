import type { Clock } from '../../clock.js';
import type { SessionStore } from '../../stores/session-store.js';
import { type NoticeListener, WatchedStore } from '../../stores/watched-store.js';

/** Wraps the store of a repository in a {@link WatchedStore} that takes a snapshot away again whose put came too late. */
export function withdrawLatePuts(
  store: SessionStore,
  parts: {
    readonly clock: Clock;
    readonly name: string;
    readonly label?: string;
    readonly assertMayWrite: () => void;
    readonly onNotice?: NoticeListener | undefined;
    /** Called when the store has changed after its call was given up. */
    readonly onLateChange?: (() => void) | undefined;
  },
): WatchedStore {
  const { clock, name, label, assertMayWrite, onNotice, onLateChange = () => undefined } = parts;
  return new WatchedStore(store, {
    clock,
    name,
    ...(label !== undefined && { label }),
    onNotice,
    onLatePut: (key) => {
      onLateChange();
      if (!holdsSnapshot(key)) return;
      withdraw(store, key, assertMayWrite)
        .finally(onLateChange)
        .catch(() => undefined);
    },
  });
}

/**
 * Deletes a snapshot whose put came late, after it was given up: its objects may have been swept meanwhile, and
 * its bytes were not compared. No other snapshot has its id. Late objects and markers are kept, because they are
 * always correct.
 */
async function withdraw(store: SessionStore, key: string, assertMayWrite: () => void): Promise<void> {
  assertMayWrite();
  await store.delete(key);
}

function holdsSnapshot(key: string): boolean {
  return key.endsWith('.zip') || key.split('/')[1] === 'snapshots';
}

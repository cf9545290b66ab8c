import type { SessionStore } from '../../stores/session-store.js';
import type { NotePlace } from '../kept-watch.js';
import { PROCESSES, readObject } from './lease-objects.js';

/** The object in which it is noted how long the owner of a lease was watched. It is swept with those of dead processes. */
export function watchNoteObject(store: SessionStore, clientId: string): NotePlace {
  const key = `${PROCESSES}${clientId}.watched.json`;
  return {
    read: async (signal) => (await readObject(store, key, (value) => value, signal))?.record,
    write: async (note, signal) => {
      const bytes = Buffer.from(`${JSON.stringify(note)}\n`);
      await store.put(key, bytes, { size: bytes.length, signal });
    },
    remove: async () => void (await store.delete(key)),
  };
}

import { plainFileSystem } from '../../disk-gate/gated-file-system.js';
import type { FileSystem } from '../../file-system.js';

/**
 * What this process knows of profiles in use, by the profile's real path, whichever build of the library notes it. Two file
 * systems may have the same path. The key is `promises`: `node:fs` as a namespace, as its default, and as `require`
 * gives it are three objects with one of these.
 *
 * @param what tells several such lists apart
 */
export function profilesInUse<Note>(what: 'claims' | 'holders', fs: FileSystem): Map<string, Note> {
  const { promises } = plainFileSystem(fs);
  const all = byFileSystem<Note>(what);
  const profiles = all.get(promises) ?? new Map<string, Note>();
  all.set(promises, profiles);
  return profiles;
}

/** Whether a session of this process uses a profile, also while its browser is closed for a moment. */
export function isClaimedHere(fs: FileSystem, realPath: string): boolean {
  return profilesInUse('claims', fs).has(realPath);
}

function byFileSystem<Note>(what: string): WeakMap<object, Map<string, Note>> {
  const key = Symbol.for(`wwebjs-persistent-session.${what}.v2`);
  const shared = globalThis as unknown as Record<symbol, WeakMap<object, Map<string, Note>> | undefined>;
  shared[key] ??= new WeakMap();
  return shared[key];
}

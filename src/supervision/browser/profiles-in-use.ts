import { plainFileSystem } from '../../disk-gate/gated-file-system.js';
import type { FileSystem } from '../../file-system.js';

/**
 * The profiles in use in this process, by real path, shared by all copies of the library in it. Two file systems may
 * contain the same path, so each has its own list. Its key is `promises`, because `node:fs` as a namespace, as a
 * default import and through `require` are three objects with the same `promises`.
 *
 * @param what names the list
 */
export function profilesInUse<Note>(what: 'claims' | 'holders', fs: FileSystem): Map<string, Note> {
  const { promises } = plainFileSystem(fs);
  const all = byFileSystem<Note>(what);
  const profiles = all.get(promises) ?? new Map<string, Note>();
  all.set(promises, profiles);
  return profiles;
}

/** Whether a session of this process uses the profile, even while its browser is briefly closed. */
export function isClaimedHere(fs: FileSystem, realPath: string): boolean {
  return profilesInUse('claims', fs).has(realPath);
}

function byFileSystem<Note>(what: string): WeakMap<object, Map<string, Note>> {
  const key = Symbol.for(`wwebjs-persistent-session.${what}.v2`);
  const shared = globalThis as unknown as Record<symbol, WeakMap<object, Map<string, Note>> | undefined>;
  shared[key] ??= new WeakMap();
  return shared[key];
}

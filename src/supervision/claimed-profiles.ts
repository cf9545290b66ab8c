import type { FileSystem } from '../file-system.js';

type Claims = Map<string, unknown>;

/**
 * Who in this process has which profile of a file system, by its path, whichever build of the library asks. Two file
 * systems may have the same path. The key is `promises`: `node:fs` as a namespace, as its default, and as `require`
 * gives it are three objects with one of these.
 */
export function claimedProfiles({ promises }: FileSystem): Claims {
  const all = byFileSystem();
  const claims = all.get(promises) ?? new Map<string, unknown>();
  all.set(promises, claims);
  return claims;
}

/** Whether a session of this process uses a profile, also while its browser is closed for a moment. */
export function isClaimedHere(fs: FileSystem, profileDir: string): boolean {
  return claimedProfiles(fs).has(profileDir);
}

function byFileSystem(): WeakMap<object, Claims> {
  const key = Symbol.for('wwebjs-persistent-session.profiles.v2');
  const shared = globalThis as unknown as Record<symbol, WeakMap<object, Claims> | undefined>;
  shared[key] ??= new WeakMap();
  return shared[key];
}

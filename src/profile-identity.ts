import { createHash } from 'node:crypto';
import { isAbsolute, relative, sep } from 'node:path';
import type { ProfileIdentity } from './types.js';

/**
 * Identifies a profile by its path, so that a store shows which profile its snapshots were made for.
 *
 * @param profileDir absolute path that the client uses
 * @param places `realPath`: the same path with its links resolved. `bases`: folders that move together with the bot; the
 * first one that contains the profile is used
 */
export function identifyProfile(
  profileDir: string,
  places: { readonly realPath: string; readonly bases: readonly string[] },
): ProfileIdentity {
  const relativePath = places.bases
    .map((base) => pathBelow(base, profileDir))
    .find((path) => path !== undefined);
  return { path: slashed(places.realPath), ...(relativePath !== undefined && { relativePath }) };
}

/** A short name for the place of a profile, which does not tell its path: the first half of its SHA-256, hex. */
export function placeNameOf({ path }: Pick<ProfileIdentity, 'path'>): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 32);
}

/** Whether both identify the same profile: by the same absolute path, or by the same path below the bot's folder. */
export function isSameProfile(one: ProfileIdentity, other: ProfileIdentity): boolean {
  if (one.path === other.path) return true;
  return one.relativePath !== undefined && one.relativePath === other.relativePath;
}

/** `path` relative to `folder`, `/` between names; `undefined` when it is not inside `folder`. */
export function pathBelow(folder: string, path: string): string | undefined {
  const way = relative(folder, path);
  const isBelow = way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
  return isBelow ? slashed(way) : undefined;
}

/** Replaces the system's separators by `/`, so that a path is the same on every system. */
export function slashed(path: string): string {
  return path.replaceAll(sep, '/');
}

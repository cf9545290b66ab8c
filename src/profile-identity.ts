import { isAbsolute, relative, sep } from 'node:path';
import type { ProfileIdentity } from './types.js';

/**
 * Names a profile by its place, so that a store can tell which profile its snapshots were made for.
 *
 * @param profileDir absolute, as the client has it
 * @param places `realPath`: the same with its links resolved. `bases`: folders that move together with the bot, the
 * first one that holds the profile counts
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

/** Whether both name one profile: at the same place of the disk, or at the same place below the bot's own folder. */
export function isSameProfile(one: ProfileIdentity, other: ProfileIdentity): boolean {
  if (one.path === other.path) return true;
  return one.relativePath !== undefined && one.relativePath === other.relativePath;
}

/** `path` relative to `folder`, `/` between names; `undefined` where it does not lie below it. */
export function pathBelow(folder: string, path: string): string | undefined {
  const way = relative(folder, path);
  const isBelow = way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
  return isBelow ? slashed(way) : undefined;
}

/** The same path on every system: `/` between names. */
export function slashed(path: string): string {
  return path.replaceAll(sep, '/');
}

import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { ConfigurationError } from '../errors.js';
import { foldsCase } from '../platform.js';

/** The folders of one session, absolute. */
export interface SessionFolders {
  readonly sessionPath: string;
  /** Undefined when no backups are written to this folder. */
  readonly backupPath: string | undefined;
  /** Undefined when the profile lies in `<sessionPath>/profile/<clientId>`. */
  readonly profileDir: string | undefined;
  readonly clientId: string;
}

export interface PathRules {
  readonly platform: NodeJS.Platform;
  /** Resolves symbolic links; throws when the path does not exist. Changes nothing. */
  readonly realpath: (path: string) => string;
}

/** More folders than any path has. */
const MAX_DEPTH = 256;

/**
 * Refuses folders that would be saved into themselves, or deleted together with another one. Compares the real
 * paths: the links in their existing part are resolved, and case is ignored where the file system ignores it.
 *
 * A profile inside `sessionPath` is fine (a LocalAuth with `dataPath: sessionPath`): saves and leases have their
 * own folders beside it. A profile inside *those* folders is refused, because it would be taken for stored
 * objects.
 *
 * @throws ConfigurationError
 */
export function refuseOverlaps(folders: SessionFolders, rules: PathRules): void {
  const { sessionPath, backupPath, profileDir, clientId } = folders;
  const isInside = (inner: string, outer: string) =>
    contains(canonical(outer, rules), canonical(inner, rules));

  if (backupPath !== undefined) {
    if (isInside(backupPath, sessionPath) || isInside(sessionPath, backupPath)) {
      throw new ConfigurationError(
        `backupPath: ${backupPath} and sessionPath ${sessionPath} lie inside one another; ` +
          'expected two separate folders, best on two disks',
      );
    }
  }
  if (profileDir === undefined) return;

  for (const [name, path] of [
    ['sessionPath', sessionPath],
    ['backupPath', backupPath],
  ] as const) {
    if (path !== undefined && isInside(path, profileDir)) {
      throw new ConfigurationError(
        `${name}: ${path} lies inside the profile of the browser (${profileDir}), which is replaced on a restore; ` +
          'expected a folder outside of it',
      );
    }
  }
  const ours = [join(sessionPath, 'store'), join(sessionPath, 'lease')];
  if (backupPath !== undefined) ours.push(join(backupPath, clientId));
  const taken = ours.find((folder) => isInside(profileDir, folder));
  if (taken !== undefined) {
    throw new ConfigurationError(
      `${taken.startsWith(sessionPath) ? 'sessionPath' : 'backupPath'}: the profile of the browser (${profileDir}) ` +
        `lies inside ${taken}, where snapshots are kept; expected another folder`,
    );
  }
}

/** The absolute path with the links of its existing part resolved, and in one spelling where case is ignored. */
export function canonical(path: string, { platform, realpath }: PathRules): string {
  const resolved = resolveLinks(path, realpath);
  return foldsCase(platform) ? resolved.normalize('NFC').toLowerCase() : resolved;
}

function resolveLinks(path: string, realpath: (path: string) => string): string {
  const missing: string[] = [];
  let folder = path;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    try {
      return join(realpath(folder), ...missing);
    } catch {
      if (dirname(folder) === folder) break;
      missing.unshift(basename(folder));
      folder = dirname(folder);
    }
  }
  return path;
}

function contains(outer: string, inner: string): boolean {
  const way = relative(outer, inner);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

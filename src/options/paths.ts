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
  /** The known real paths. A path that is missing here is used unchanged. */
  readonly realPaths?: ReadonlyMap<string, string>;
}

/** How LocalAuth and RemoteAuth name the profiles in their folder (docs/chromium-facts.md F2.6). */
const PROFILE_NAME = /^(?:session|remoteauth|RemoteAuth)(?:-.*)?$/;

/** More folders than any path has. */
const MAX_DEPTH = 256;

/**
 * Refuses folders that would be saved into themselves, or deleted together with another one. Compares the real paths, as
 * far as they are known; case is ignored where the file system ignores it.
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
  // The profile of this bot is named by LocalAuth, and those of others in the same folder are, too.
  const isNamedLikeProfile = PROFILE_NAME.test(foldsCase(rules.platform) ? clientId.toLowerCase() : clientId);
  if (
    backupPath !== undefined &&
    isNamedLikeProfile &&
    canonical(backupPath, rules) === dirname(canonical(profileDir, rules))
  ) {
    throw new ConfigurationError(
      `backupPath: the backups of '${clientId}' would lie in ${join(backupPath, clientId)}, which is the profile of another ` +
        'client id of this LocalAuth; expected a backupPath outside of its dataPath, or another clientId',
    );
  }
  const taken = foldersOfSnapshots({ sessionPath, backupPath, clientId }).find((folder) =>
    isInside(profileDir, folder),
  );
  if (taken !== undefined) {
    throw new ConfigurationError(
      `${taken.startsWith(sessionPath) ? 'sessionPath' : 'backupPath'}: the profile of the browser (${profileDir}) ` +
        `lies inside ${taken}, where snapshots are kept; expected another folder`,
    );
  }
}

/** Every path that {@link refuseOverlaps} compares. */
export function comparedPaths(folders: SessionFolders): readonly string[] {
  const { sessionPath, backupPath, profileDir } = folders;
  const given = [sessionPath, backupPath, profileDir].filter((path) => path !== undefined);
  return [...given, ...foldersOfSnapshots(folders)];
}

function foldersOfSnapshots({
  sessionPath,
  backupPath,
  clientId,
}: Omit<SessionFolders, 'profileDir'>): readonly string[] {
  const ours = [join(sessionPath, 'store'), join(sessionPath, 'lease')];
  return backupPath === undefined ? ours : [...ours, join(backupPath, clientId)];
}

/** A path in the form in which paths are compared: the real path, and without case where the platform ignores it. */
export function canonical(path: string, { platform, realPaths }: PathRules): string {
  const real = realPaths?.get(path) ?? path;
  return foldsCase(platform) ? real.normalize('NFC').toLowerCase() : real;
}

/**
 * The real path of an absolute path; links are resolved as far as the path exists.
 *
 * @param realpath rejects if the path does not exist
 * @throws the error of `realpath` for which `isFinal` returns true: then asking for the parent folder is useless
 */
export async function realPathOf(
  path: string,
  realpath: (path: string) => Promise<string>,
  isFinal: (error: unknown) => boolean = () => false,
): Promise<string> {
  const missing: string[] = [];
  let folder = path;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    try {
      return join(await realpath(folder), ...missing);
    } catch (error) {
      if (isFinal(error)) throw error;
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

import { createHash } from 'node:crypto';
import path from 'node:path';
import { type FileSystem, isDenied } from '../../file-system.js';
import { recogniseLayout } from '../essential-files.js';
import { isMissing, lstatIfPresent, readFolder } from '../walk.js';

/** A login of another system on this disk. */
export interface OldSession {
  /** `profile`: a user-data-dir of Chromium. `zip`: a zip of one, made by RemoteAuth or by a backup of this library. */
  readonly kind: 'profile' | 'zip';
  /** Absolute path. */
  readonly path: string;
  /** The client id in its name; absent if the name has none. */
  readonly clientId?: string | undefined;
}

/** An old session, or a folder of them, that this user may not read. */
export interface DeniedSession {
  readonly path: string;
  /** The client id in its name; absent if the name has none. */
  readonly clientId?: string | undefined;
  readonly error: unknown;
}

export type DeniedListener = (denied: DeniedSession) => void;

/** The names of LocalAuth's and RemoteAuth's folders, and of RemoteAuth's zip (docs/chromium-facts.md F2.6). */
const NAME = /^(?:session|RemoteAuth)(?:-([-_\w]+?))?(\.zip)?$/;
/** The profile folder in every user-data-dir that a client of whatsapp-web.js has used. */
const PROFILE = 'Default';

/** What is at `path`; `undefined` if nothing is there, `folder` for a folder that is no user-data-dir. */
export async function kindOfOldSession(
  path: string,
  { fs }: { readonly fs: FileSystem },
): Promise<OldSession['kind'] | 'folder' | undefined> {
  try {
    const stats = await fs.promises.stat(path);
    if (stats.isFile()) return 'zip';
    if (!stats.isDirectory()) return undefined;
    return (await isFolder(fs, `${path}/${PROFILE}`)) ? 'profile' : 'folder';
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Finds by name the sessions directly inside a folder such as `.wwebjs_auth`. */
export async function listOldSessions(
  folder: string,
  options: { readonly fs: FileSystem; readonly onDenied?: DeniedListener },
): Promise<readonly OldSession[]> {
  const found: OldSession[] = [];
  for (const { name } of await readFolder(options.fs, folder)) {
    const match = NAME.exec(name);
    if (match === null) continue;
    const [, clientId, extension] = match;
    const session = path.join(folder, name);
    // One that may not be read must not hide the others.
    const kind = await kindOfOldSession(session, options).catch((error: unknown) => {
      if (!isDenied(error)) throw error;
      options.onDenied?.({ path: session, clientId, error });
      return undefined;
    });
    const isZip = extension !== undefined && name.startsWith('RemoteAuth');
    if (kind === (isZip ? 'zip' : 'profile')) found.push({ kind, path: session, clientId });
  }
  return found;
}

/** The names that sessions with this client id, or without one, have in such a folder. */
export function namesOf(clientId: string | undefined): readonly string[] {
  const suffix = clientId === undefined ? '' : `-${clientId}`;
  return [`session${suffix}`, `RemoteAuth${suffix}`, `RemoteAuth${suffix}.zip`];
}

/** The client ids in the folder names of a path. */
export function clientIdsOf(folders: string): readonly string[] {
  return folders.split('/').flatMap((name) => NAME.exec(name)?.[1] ?? []);
}

/** Whether there are data of WhatsApp Web to import; always true for a zip, which is not opened here. */
export async function mayHoldLogin(
  { kind, path }: OldSession,
  options: { readonly fs: FileSystem },
): Promise<boolean> {
  if (kind === 'zip') return true;
  const layout = await recogniseLayout(path, options);
  return layout.indexedDb !== 'none' && layout.localStorage !== 'none';
}

/** A hash of an old session's path, which does not reveal the path: 16 hex digits. */
export function placeOf({ path: session }: OldSession): string {
  return createHash('sha256').update(session).digest('hex').slice(0, 16);
}

/** The profile that a running browser would have open. For a zip it is RemoteAuth's folder, which is beside the zip. */
export function profileOf({ kind, path: session }: OldSession): string {
  return kind === 'profile' ? session : session.replace(/\.zip$/, '');
}

async function isFolder(fs: FileSystem, path: string): Promise<boolean> {
  const stats = await lstatIfPresent(fs, path);
  return (
    stats?.isDirectory() === true || (stats?.isSymbolicLink() === true && (await leadsToFolder(fs, path)))
  );
}

async function leadsToFolder(fs: FileSystem, path: string): Promise<boolean> {
  return (await fs.promises.stat(path)).isDirectory();
}

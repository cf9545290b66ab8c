import { createHash } from 'node:crypto';
import path from 'node:path';
import type { FileSystem } from '../../file-system.js';
import { recogniseLayout } from '../essential-files.js';
import { isMissing, lstatIfPresent, readFolder, unlessDenied } from '../walk.js';

/** A login that another system keeps on this disk. */
export interface OldSession {
  /** `profile`: a user-data-dir of Chromium. `zip`: what RemoteAuth, or a backup of this library, made of one. */
  readonly kind: 'profile' | 'zip';
  /** Absolute. */
  readonly path: string;
  /** The client id that its name tells; absent where the name has none. */
  readonly clientId?: string | undefined;
}

/** LocalAuth's and RemoteAuth's folders, and RemoteAuth's zip (docs/chromium-facts.md F2.6). */
const NAME = /^(?:session|RemoteAuth)(?:-([-_\w]+?))?(\.zip)?$/;
/** Every user-data-dir that a client of whatsapp-web.js has used has this profile in it. */
const PROFILE = 'Default';

/** What lies at `path`; `undefined` where nothing does, `folder` for one that is no user-data-dir itself. */
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

/** The sessions right below a folder such as `.wwebjs_auth`, by their names. */
export async function listOldSessions(
  folder: string,
  options: { readonly fs: FileSystem },
): Promise<readonly OldSession[]> {
  const found: OldSession[] = [];
  for (const { name } of await readFolder(options.fs, folder)) {
    const match = NAME.exec(name);
    if (match === null) continue;
    const [, clientId, extension] = match;
    const session = path.join(folder, name);
    const kind = await unlessDenied(kindOfOldSession(session, options)); // one that may not be read hides no other
    const isZip = extension !== undefined && name.startsWith('RemoteAuth');
    if (kind === (isZip ? 'zip' : 'profile')) found.push({ kind, path: session, clientId });
  }
  return found;
}

/** How sessions of this client id, or of none, are called right below such a folder. */
export function namesOf(clientId: string | undefined): readonly string[] {
  const suffix = clientId === undefined ? '' : `-${clientId}`;
  return [`session${suffix}`, `RemoteAuth${suffix}`, `RemoteAuth${suffix}.zip`];
}

/** The client ids that the folders of a path tell by their names. */
export function clientIdsOf(folders: string): readonly string[] {
  return folders.split('/').flatMap((name) => NAME.exec(name)?.[1] ?? []);
}

/** Whether there is anything of WhatsApp Web to take; of a zip nobody knows before it is opened. */
export async function mayHoldLogin(
  { kind, path }: OldSession,
  options: { readonly fs: FileSystem },
): Promise<boolean> {
  if (kind === 'zip') return true;
  const layout = await recogniseLayout(path, options);
  return layout.indexedDb !== 'none' && layout.localStorage !== 'none';
}

/** Where an old session lies, in a form that tells nothing: 16 hex digits. */
export function placeOf({ path: session }: OldSession): string {
  return createHash('sha256').update(session).digest('hex').slice(0, 16);
}

/** The profile whose browser has the login open while it runs: RemoteAuth's folder lies beside its zip. */
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

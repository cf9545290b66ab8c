import path from 'node:path';
import type { FileSystem } from '../../file-system.js';
import { readOwnJson, writeOwnFile } from '../../own-file.js';
import { exists } from '../walk.js';

/**
 * The content of the note beside an old session. It is for people: an automatic import only checks whether a note exists.
 */
export interface MovedNote {
  readonly note: string;
  readonly clientId: string;
  /** ISO 8601. */
  readonly at: string;
  /** The snapshot that was made of the old session. */
  readonly snapshot?: string | undefined;
  /** What was imported: SHA-256 (hex) of the files' sizes and times (`look`), and of their contents (`content`). */
  readonly taken?: { readonly look: string; readonly content: string } | undefined;
}

/**
 * The path of the note: `<session>.moved.json` beside the old session, which itself stays unchanged. Only if the session is
 * the library's own folder is the note inside it, because its parent may be lost with the next container.
 */
export function movedMarkerOf(sessionDir: string, ownFolder: string): string {
  return sessionDir === ownFolder ? path.join(ownFolder, 'moved.json') : `${sessionDir}.moved.json`;
}

export function isMarkedAsMoved(marker: string, { fs }: { readonly fs: FileSystem }): Promise<boolean> {
  return exists(fs, marker);
}

/** Reads the note; `undefined` if there is none, or it can't be read. */
export async function readMovedNote(
  marker: string,
  { fs }: { readonly fs: FileSystem },
): Promise<Partial<MovedNote> | undefined> {
  const value = await readOwnJson(fs, marker).catch(() => undefined);
  if (typeof value !== 'object' || value === null) return undefined;
  const { clientId, snapshot, taken } = value as Record<string, unknown>;
  const { look, content } = (typeof taken === 'object' && taken !== null ? taken : {}) as Record<
    string,
    unknown
  >;
  return {
    ...(typeof clientId === 'string' && { clientId }),
    ...(typeof snapshot === 'string' && { snapshot }),
    ...(typeof look === 'string' && typeof content === 'string' && { taken: { look, content } }),
  };
}

/** Writes the note and replaces anything in its place, even a link, whose target is not ours and stays untouched. */
export async function markAsMoved(
  marker: string,
  note: MovedNote,
  { fs }: { readonly fs: FileSystem },
): Promise<void> {
  await writeOwnFile(fs, marker, `${JSON.stringify(note, undefined, 2)}\n`, { durable: false });
}

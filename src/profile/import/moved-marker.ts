import path from 'node:path';
import type { FileSystem } from '../../file-system.js';
import { readOwnJson, writeOwnFile } from '../../own-file.js';
import { exists } from '../walk.js';

/**
 * What the note beside an old session says. For people: to an import that nobody asked for, that it is there is all that
 * counts.
 */
export interface MovedNote {
  readonly note: string;
  readonly clientId: string;
  /** ISO 8601. */
  readonly at: string;
  /** The snapshot that was made of it. */
  readonly snapshot?: string | undefined;
  /** What was taken: what the files looked like from outside, and what they held. Two SHA-256, hex. */
  readonly taken?: { readonly look: string; readonly content: string } | undefined;
}

/**
 * Where the note lies: `<session>.moved.json` beside it, so that nothing in it changes; in it only where it is the
 * folder of this library itself, whose parent may be gone with the next container.
 */
export function movedMarkerOf(sessionDir: string, ownFolder: string): string {
  return sessionDir === ownFolder ? path.join(ownFolder, 'moved.json') : `${sessionDir}.moved.json`;
}

export function isMarkedAsMoved(marker: string, { fs }: { readonly fs: FileSystem }): Promise<boolean> {
  return exists(fs, marker);
}

/** What the note says; `undefined` where there is none that can be read. */
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

/** Writes the note, in place of whatever lies there: a link in its place leads to what is not ours. */
export async function markAsMoved(
  marker: string,
  note: MovedNote,
  { fs }: { readonly fs: FileSystem },
): Promise<void> {
  await writeOwnFile(fs, marker, `${JSON.stringify(note, undefined, 2)}\n`, { durable: false });
}

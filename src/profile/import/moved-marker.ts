import path from 'node:path';
import { type FileSystem, PRIVATE_FILE_MODE } from '../../file-system.js';
import { exists } from '../walk.js';

/** What the note beside an old session says. For people: that it is there is all that counts. */
export interface MovedNote {
  readonly note: string;
  readonly clientId: string;
  /** ISO 8601. */
  readonly at: string;
  /** The snapshot that was made of it. */
  readonly snapshot?: string | undefined;
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

/** Writes the note. Not by way of a temporary file: half a note is a note, and nothing can be left behind. */
export async function markAsMoved(
  marker: string,
  note: MovedNote,
  { fs }: { readonly fs: FileSystem },
): Promise<void> {
  await fs.promises.writeFile(marker, `${JSON.stringify(note, undefined, 2)}\n`, { mode: PRIVATE_FILE_MODE });
}

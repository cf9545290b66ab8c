import type { CapturedFile, FileSignature } from '../types.js';
import { sameSignature } from './walk.js';

/** Whether this is a table of LevelDB; `.sst` is the old name, which it still takes. */
export function isTablePath(path: string): boolean {
  return /\.(?:ldb|sst)$/.test(path);
}

/** A table whose blocks were found sound by the very reading that its SHA-256 is from. */
export interface SoundTable {
  readonly signature: FileSignature;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** By path, relative to the profile. Structured-clonable. */
export type SoundTables = ReadonlyMap<string, SoundTable>;

/** Nothing is known yet, or everything is in doubt. */
export const NO_SOUND_TABLES: SoundTables = new Map();

/** What a session knows of its profile's tables. */
export class SoundTableMemory {
  known: SoundTables = NO_SOUND_TABLES;

  /** After any doubt: the next check reads everything. */
  forget(): void {
    this.known = NO_SOUND_TABLES;
  }
}

/**
 * SHA-256 of those files that are tables known to be sound. A table never changes once it is written
 * (docs/chromium-facts.md F1.3), so one that has the signature it had is not read again.
 */
export function knownSound(files: readonly CapturedFile[], known: SoundTables): ReadonlyMap<string, string> {
  return new Map(
    files.flatMap((file) => {
      const table = isTable(file) ? known.get(file.path) : undefined;
      return table && sameSignature(table.signature, file.source) ? [[file.path, table.sha256]] : [];
    }),
  );
}

/** Remembers the tables among these files by the signatures of their originals. */
export function rememberSound(
  files: readonly CapturedFile[],
  hashes: ReadonlyMap<string, string>,
): SoundTables {
  return new Map(
    files.flatMap((file) => {
      const sha256 = isTable(file) ? hashes.get(file.path) : undefined;
      return sha256 === undefined ? [] : [[file.path, { signature: file.source, sha256 }]];
    }),
  );
}

/** Not a copy that is shorter or longer than its original was: the signature would speak of other bytes. */
function isTable({ path, size, source }: CapturedFile): boolean {
  return isTablePath(path) && size === source.size;
}

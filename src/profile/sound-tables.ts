import type { CapturedFile, FileSignature } from '../types.js';
import { sameSignature } from './walk.js';

/** Whether this is a table of LevelDB; `.sst` is the old extension, which LevelDB still accepts. */
export function isTablePath(path: string): boolean {
  return /\.(?:ldb|sst)$/.test(path);
}

/** A table whose blocks were found sound. Its SHA-256 was taken from the same reading. */
export interface SoundTable {
  readonly signature: FileSignature;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** Sound tables by path, relative to the profile. Can be sent to a worker thread. */
export type SoundTables = ReadonlyMap<string, SoundTable>;

/** No table is known to be sound, so the next check reads all of them. */
export const NO_SOUND_TABLES: SoundTables = new Map();

/** Remembers which tables of a session's profile are sound. */
export class SoundTableMemory {
  known: SoundTables = NO_SOUND_TABLES;

  /** To be called after any doubt: the next check then reads everything. */
  forget(): void {
    this.known = NO_SOUND_TABLES;
  }
}

/**
 * The SHA-256 of those files that are tables known to be sound. A table never changes once it is written
 * (docs/chromium-facts.md F1.3), so a table with an unchanged signature is not read again.
 */
export function knownSound(files: readonly CapturedFile[], known: SoundTables): ReadonlyMap<string, string> {
  return new Map(
    files.flatMap((file) => {
      const table = isTable(file) ? known.get(file.path) : undefined;
      return table && sameSignature(table.signature, file.source) ? [[file.path, table.sha256]] : [];
    }),
  );
}

/** The tables among these files that are sound, with the signatures of their originals. */
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

/** Whether it is a table of the same size as its original; otherwise the original's signature would belong to other bytes. */
function isTable({ path, size, source }: CapturedFile): boolean {
  return isTablePath(path) && size === source.size;
}

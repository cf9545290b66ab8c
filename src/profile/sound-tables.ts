import type { CapturedFile, FileSignature } from '../types.js';
import { sameSignature } from './walk.js';

const TABLE = /\.(?:ldb|sst)$/;

/** Tables of a live profile whose blocks a deep check has found sound, by path. Structured-clonable. */
export type SoundTables = ReadonlyMap<string, FileSignature>;

/** Nothing is known yet, or everything is in doubt. */
export const NO_SOUND_TABLES: SoundTables = new Map();

/** The tables of a capture that a deep check has found sound. */
export function soundTablesOf(files: readonly CapturedFile[]): SoundTables {
  return new Map(tablesAmong(files).map(({ path, source }) => [path, source]));
}

/**
 * Which tables of a capture are known to be sound. A table never changes once it is written (FACTS 1.3), so that one
 * with the signature it had needs no second reading of its blocks: a save that finds little changed reads little.
 */
export function knownSound(files: readonly CapturedFile[], known: SoundTables): readonly string[] {
  return tablesAmong(files)
    .filter(({ path, source }) => known.has(path) && sameSignature(known.get(path), source))
    .map(({ path }) => path);
}

/** Not a copy that is shorter or longer than its original was: the signature would speak of other bytes. */
function tablesAmong(files: readonly CapturedFile[]): readonly CapturedFile[] {
  return files.filter(({ path, size, source }) => TABLE.test(path) && size === source.size);
}

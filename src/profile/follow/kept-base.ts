import type { CapturedFile, FileSignature } from '../../types.js';
import { ESSENTIAL_PATHS } from '../essential-files.js';
import type { SequenceSpan } from '../leveldb/write-batch.js';

/** Folder of the database that is followed, relative to the profile. */
export const FOLLOWED_FOLDER = ESSENTIAL_PATHS.indexedDbLevelDb;

/** The beginning of a log that was read and found sound, or all of it. */
export interface SoundLog {
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Number of complete records. */
  readonly records: number;
  /** The sequence numbers of its changes; absent while it has none. */
  readonly span?: SequenceSpan;
  /** The blobs that its records name, with their sizes in bytes; absent where it names none. Paths are relative to the profile. */
  readonly blobs?: ReadonlyMap<string, number>;
}

/** A complete log that is kept. LevelDB never writes to it again, so it is read only once. */
export interface CompleteLog extends SoundLog {
  readonly signature: FileSignature;
}

/**
 * A copy of IndexedDB's LevelDB at an earlier moment. Together with every log since, it makes the database of now
 * (docs/chromium-facts.md F6.3). Can be sent to a worker thread.
 */
export interface KeptBase {
  /** Folder with its files by their plain names, and hard links of the logs since. */
  readonly folder: string;
  /** CURRENT, the MANIFEST up to its length at that time, and the tables; with the signatures of their originals. */
  readonly files: readonly CapturedFile[];
  /** The logs with this number or a higher one belong to the base. */
  readonly logNumber: number;
  /** The last sequence number in its MANIFEST. */
  readonly lastSequence: number;
  /** The complete logs that were found sound, by name. */
  readonly completeLogs: ReadonlyMap<string, CompleteLog>;
  /** The sequence number after the newest change that a capture had. It never gets lower. */
  readonly reached: number;
  /** A browser raises it when it opens the database, so it is the same as long as the base is followed. */
  readonly dataVersion?: string;
}

/** Where a capture may keep a base, and the one that it may follow. */
export interface FollowInput {
  /** An existing folder beside the profile, for nothing else. */
  readonly folder: string;
  /** Bytes that the base and its logs may take. */
  readonly roomBytes: number;
  readonly base?: KeptBase;
}

/** Thrown when a base can't be followed (any more): the capture then copies the database itself, and keeps a new base. */
export class NewBaseNeeded extends Error {
  override readonly name = 'NewBaseNeeded';
}

/** Whether two bases have the same tables: copies of one database at one version of its MANIFEST. */
export function isSameBase(a: KeptBase, b: KeptBase): boolean {
  const [first, second] = [fileOf(a, 'MANIFEST-'), fileOf(b, 'MANIFEST-')];
  return (
    a.folder === b.folder &&
    a.lastSequence === b.lastSequence &&
    a.logNumber === b.logNumber &&
    first.size === second.size &&
    first.source.inode === second.source.inode
  );
}

/** The name of a file of the database, without its folder. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The file of a base with this kind of name. */
export function fileOf(base: Pick<KeptBase, 'files'>, kind: 'CURRENT' | 'MANIFEST-'): CapturedFile {
  const found = base.files.find(({ path }) => nameOf(path).startsWith(kind));
  if (found === undefined) throw new NewBaseNeeded(`the base has no ${kind}`);
  return found;
}

/** Bytes of the base without its logs. */
export function baseBytes({ files }: Pick<KeptBase, 'files'>): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

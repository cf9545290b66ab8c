import { ByteReader } from './byte-reader.js';
import { DamageError } from './damage.js';
import { type LogEnding, readLog } from './log-reader.js';

/** One record of a MANIFEST (LevelDB, db/version_edit.cc). */
export interface VersionEdit {
  readonly comparator?: string;
  readonly logNumber?: number;
  readonly prevLogNumber?: number;
  readonly nextFileNumber?: number;
  readonly lastSequence?: number;
  readonly deletedTables: readonly number[];
  readonly newTables: readonly { readonly number: number; readonly size: number }[];
}

/** The contents of a database according to its MANIFEST. */
export interface Version {
  readonly comparator: string | undefined;
  /** Logs below this number are already in tables. It is 0 in a database that was never reopened or flushed. */
  readonly logNumber: number;
  readonly prevLogNumber: number;
  readonly nextFileNumber: number;
  /** Sequence number of the newest change at the time of the newest edit. */
  readonly lastSequence: number;
  /** Size in bytes of each live table, by its number. */
  readonly tables: ReadonlyMap<number, number>;
  /** Numbers of all tables that were ever named. */
  readonly everNamed: ReadonlySet<number>;
  readonly ending: LogEnding;
}

/** Number of LevelDB's levels (`config::kNumLevels`). */
const LEVELS = 7;

/** Parses one record. Throws {@link DamageError} and nothing else. */
export function parseVersionEdit(record: Uint8Array): VersionEdit {
  const reader = new ByteReader(record);
  const edit: { -readonly [K in keyof VersionEdit]: VersionEdit[K] } = {
    deletedTables: [],
    newTables: [],
  };
  const deletedTables: number[] = [];
  const newTables: { number: number; size: number }[] = [];
  while (!reader.done) {
    const tag = reader.varint();
    if (tag === 1) edit.comparator = new TextDecoder().decode(reader.lengthPrefixed());
    else if (tag === 2) edit.logNumber = reader.varint();
    else if (tag === 3) edit.nextFileNumber = reader.varint();
    else if (tag === 4) edit.lastSequence = reader.varint();
    else if (tag === 5) {
      readLevel(reader);
      reader.lengthPrefixed();
    } else if (tag === 6) {
      readLevel(reader);
      deletedTables.push(reader.varint());
    } else if (tag === 7) {
      readLevel(reader);
      newTables.push({ number: reader.varint(), size: reader.varint() });
      reader.lengthPrefixed();
      reader.lengthPrefixed();
    } else if (tag === 9) edit.prevLogNumber = reader.varint();
    else throw new DamageError(`it holds an entry of an unknown kind (${tag})`);
  }
  return { ...edit, deletedTables, newTables };
}

/** Applies all edits of a MANIFEST. Throws {@link DamageError} when LevelDB would refuse it. */
export function parseManifest(bytes: Uint8Array): Version {
  if (bytes.length === 0) throw new DamageError('it is empty');
  let comparator: string | undefined;
  let logNumber: number | undefined;
  let nextFileNumber: number | undefined;
  let prevLogNumber = 0;
  let lastSequence: number | undefined;
  const tables = new Map<number, number>();
  const everNamed = new Set<number>();
  const scan = readLog(bytes, (record) => {
    const edit = parseVersionEdit(record);
    comparator ??= edit.comparator;
    logNumber = edit.logNumber ?? logNumber;
    nextFileNumber = edit.nextFileNumber ?? nextFileNumber;
    prevLogNumber = edit.prevLogNumber ?? prevLogNumber;
    lastSequence = edit.lastSequence ?? lastSequence;
    // Deletions come first, because a table that moves to another level is deleted and added in the same edit.
    for (const number of edit.deletedTables) tables.delete(number);
    for (const { number, size } of edit.newTables) {
      tables.set(number, size);
      everNamed.add(number);
    }
  });
  if (scan.damage) throw new DamageError(`${scan.damage.problem} (at byte ${scan.damage.offset})`);
  if (scan.records === 0) throw new DamageError(`none of its ${bytes.length} bytes make a whole record`);
  if (logNumber === undefined || nextFileNumber === undefined || lastSequence === undefined) {
    throw new DamageError('its first records are missing');
  }
  const { ending } = scan;
  return { comparator, logNumber, prevLogNumber, nextFileNumber, lastSequence, tables, everNamed, ending };
}

function readLevel(reader: ByteReader): void {
  const level = reader.varint();
  if (level >= LEVELS) throw new DamageError(`it names a level that does not exist (${level})`);
}

import { errnoOf } from '../errors.js';
import type { FileSystem } from '../file-system.js';
import { defineTask } from '../task.js';
import { type DatabaseLayout, ESSENTIAL_PATHS, recogniseLayout } from './essential-files.js';
import { DamageError } from './leveldb/damage.js';
import { type Database, liveLogs, readDatabase } from './leveldb/database.js';
import { scanLog } from './leveldb/log-file.js';
import { readAtOf } from './leveldb/read-at.js';
import { readInternalKey, tableEntries } from './leveldb/table.js';
import { type Change, changesOf } from './leveldb/write-batch.js';
import { isMissing, throwIfAborted } from './walk.js';

/**
 * The format in which an IndexedDB stores its values. If any of the three numbers is higher than the browser's own, the
 * browser replaces the database by an empty one without a warning (docs/profile.md).
 */
export interface DataVersion {
  readonly schema: number;
  readonly v8: number;
  readonly blink: number;
}

/** The layout and data version that a browser must be able to read. */
export interface ProfileFormat {
  readonly indexedDb: DatabaseLayout;
  readonly localStorage: DatabaseLayout;
  /** Absent if there is no IndexedDB, or it can't be read. */
  readonly dataVersion?: DataVersion | undefined;
}

/** Length of the keys of global metadata: all ids are 0, the fifth byte is the kind (indexed_db_leveldb_coding.cc). */
const METADATA_KEY_BYTES = 5;
const SCHEMA_VERSION = 0;
const DATA_VERSION = 2;

/** Reads the format of a profile in the worker thread, without changing anything. */
export const profileFormatTask = defineTask<{ readonly profileDir: string }, ProfileFormat>(
  'profile:format',
  async ({ profileDir }, { fs, signal }) => {
    const layout = await recogniseLayout(profileDir, { fs });
    if (layout.indexedDb !== 'leveldb') return layout;
    const dataVersion = await readDataVersion({ fs, profileDir, signal });
    return dataVersion === undefined ? layout : { ...layout, dataVersion };
  },
);

/** The data version of WhatsApp Web's IndexedDB; `undefined` if there is no database, or it is damaged. */
export async function readDataVersion(place: {
  readonly fs: FileSystem;
  readonly profileDir: string;
  readonly signal?: AbortSignal | undefined;
}): Promise<DataVersion | undefined> {
  try {
    const folder = `${place.profileDir}/${ESSENTIAL_PATHS.indexedDbLevelDb}`;
    const source = { ...place, folder, database: await readDatabase(place.fs, folder) };
    const metadata = new Metadata();
    await readTables(source, metadata);
    await readLogs(source, metadata);
    return metadata.dataVersion();
  } catch (error) {
    if (error instanceof DamageError || isMissing(error) || errnoOf(error) === 'EIO') return undefined;
    throw error;
  }
}

/** The data version in the form that a manifest uses, for example `5.16.21`: schema, V8, Blink. */
export function dataVersionText({ schema, v8, blink }: DataVersion): string {
  return `${schema}.${v8}.${blink}`;
}

/** The opposite of {@link dataVersionText}; `undefined` for any other text. */
export function parseDataVersion(text: string | undefined): DataVersion | undefined {
  const [, schema, v8, blink] = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})$/.exec(text ?? '') ?? [];
  if (schema === undefined) return undefined;
  return { schema: Number(schema), v8: Number(v8), blink: Number(blink) };
}

interface Source {
  readonly fs: FileSystem;
  readonly folder: string;
  readonly database: Database;
  readonly signal?: AbortSignal | undefined;
}

// Metadata keys sort before all others, so only the index and the first one or two blocks of each table are read.
async function readTables({ fs, folder, database, signal }: Source, metadata: Metadata): Promise<void> {
  for (const number of database.version.tables.keys()) {
    throwIfAborted(signal);
    const file = await readAtOf(fs, `${folder}/${database.files.tables.get(number) ?? 'missing'}`);
    try {
      for await (const entry of tableEntries(file.readAt, file.size, mayHoldVersions)) {
        const { userKey, sequence, isPut } = readInternalKey(entry);
        metadata.note({ key: userKey, sequence, value: isPut ? entry.value : undefined });
      }
    } finally {
      await file.close();
    }
  }
}

async function readLogs({ fs, folder, database, signal }: Source, metadata: Metadata): Promise<void> {
  for (const { name } of liveLogs(database.version, database.files.logs)) {
    const onRecord = (record: Uint8Array) => {
      for (const change of changesOf(record)) metadata.note(change);
    };
    await scanLog(fs, `${folder}/${name}`, { onRecord, signal });
  }
}

const mayHoldVersions = (before: Uint8Array | undefined) =>
  before === undefined || (hasNoIds(before) && (before[METADATA_KEY_BYTES - 1] ?? 0) <= DATA_VERSION);

/** Collects the newest value of each of the two versions. */
class Metadata {
  readonly #newest = new Map<number, Pick<Change, 'sequence' | 'value'>>();

  note({ key, sequence, value }: Change): void {
    const kind = key[METADATA_KEY_BYTES - 1];
    if (key.length !== METADATA_KEY_BYTES || !hasNoIds(key)) return;
    if (kind !== SCHEMA_VERSION && kind !== DATA_VERSION) return;
    const known = this.#newest.get(kind);
    if (known === undefined || known.sequence <= sequence) {
      this.#newest.set(kind, { sequence, value: value && new Uint8Array(value) });
    }
  }

  dataVersion(): DataVersion | undefined {
    const packed = integerIn(this.#newest.get(DATA_VERSION)?.value);
    if (packed === undefined) return undefined;
    const schema = Number(integerIn(this.#newest.get(SCHEMA_VERSION)?.value) ?? 0n);
    return { schema, v8: Number(packed >> 32n), blink: Number(packed & 0xffff_ffffn) };
  }
}

function hasNoIds(key: Uint8Array): boolean {
  return key[0] === 0 && key[1] === 0 && key[2] === 0 && key[3] === 0;
}

/** Reads a little-endian integer that has only as many bytes as it needs (EncodeInt). */
function integerIn(bytes: Uint8Array | undefined): bigint | undefined {
  if (bytes === undefined || bytes.length === 0 || bytes.length > 8) return undefined;
  return bytes.reduceRight((value, byte) => value * 256n + BigInt(byte), 0n);
}

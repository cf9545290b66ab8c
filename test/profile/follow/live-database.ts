import fs from 'node:fs';
import { appendFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { liveLogs, readDatabase } from '../../../src/profile/leveldb/database.js';
import { readLog } from '../../../src/profile/leveldb/log-reader.js';
import { readAtOf } from '../../../src/profile/leveldb/read-at.js';
import { readInternalKey, tableEntries } from '../../../src/profile/leveldb/table.js';
import { changesOf } from '../../../src/profile/leveldb/write-batch.js';
import {
  type EditFields,
  type WrittenEntry,
  writeBatch,
  writeEdit,
  writeLog,
  writeTable,
} from '../leveldb-writer.js';
import { INDEXED_DB, localStorageFiles, makeProfile } from '../profiles.js';

/** What a database holds: key to value. */
export type Contents = ReadonlyMap<string, string>;

/**
 * An IndexedDB that is written as LevelDB writes it: changes go to a log, a full log becomes a table and is deleted, tables
 * are merged, and the MANIFEST grows in place.
 */
export class LiveDatabase {
  readonly profileDir: string;
  /** What a page would read now. */
  readonly contents = new Map<string, string>();
  readonly #folder: string;
  #manifest = 1;
  #edits: Buffer[] = [];
  #log = 0;
  #records: Buffer[] = [];
  #next = 2;
  #sequence = 0;
  /** The last change that is in a table. */
  #flushed = 0;
  /** Changes of the present log. */
  #unflushed = new Map<string, string | undefined>();
  /** Oldest first. */
  #tables: {
    readonly number: number;
    readonly entries: Map<string, string | undefined>;
    readonly size: number;
  }[] = [];

  private constructor(profileDir: string) {
    this.profileDir = profileDir;
    this.#folder = path.join(profileDir, INDEXED_DB);
  }

  /** Makes a profile whose IndexedDB has a table and a log. */
  static async create(): Promise<LiveDatabase> {
    const database = new LiveDatabase(await makeProfile(localStorageFiles()));
    await mkdir(database.#folder, { recursive: true });
    await database.#begin('idb_cmp1');
    await database.write([
      ['a', 'noise'],
      ['b', '2'],
      ['c', '3'.repeat(300)],
    ]);
    await database.flush();
    await database.write([['d', 'signal']]);
    return database;
  }

  /** The name of the log that is written now. */
  get logName(): string {
    return nameOf(this.#log, 'log');
  }

  get tableNames(): string[] {
    return this.#tables.map(({ number }) => nameOf(number, 'ldb'));
  }

  pathOf(name: string): string {
    return path.join(this.#folder, name);
  }

  /** Adds a write batch to the log. Without a value the key is deleted. */
  async write(entries: readonly WrittenEntry[]): Promise<void> {
    await this.#append(writeBatch(entries, this.#sequence + 1));
    this.#sequence += entries.length;
    for (const [key, value] of entries) {
      this.#unflushed.set(key, value);
      if (value === undefined) this.contents.delete(key);
      else this.contents.set(key, value);
    }
  }

  /** Begins a new log and turns the old one into a table, which takes its place. */
  async flush(): Promise<void> {
    const old = this.#log;
    const table = this.#next + 1;
    this.#log = this.#next;
    this.#next += 2;
    this.#records = [];
    await writeFile(this.pathOf(this.logName), '');
    const entries = this.#unflushed;
    this.#unflushed = new Map();
    this.#flushed = this.#sequence;
    const added = await this.#writeTable(table, entries);
    await this.#edit({
      logNumber: this.#log,
      nextFileNumber: this.#next,
      lastSequence: this.#sequence,
      added: [{ number: table, size: added }],
    });
    await rm(this.pathOf(nameOf(old, 'log')));
  }

  /** Merges all tables into one. No change of the contents. */
  async compact(): Promise<void> {
    if (this.#tables.length < 2) return;
    const merged = new Map(this.#tables.flatMap(({ entries }) => [...entries]));
    const old = this.#tables;
    this.#tables = [];
    const number = this.#next++;
    const size = await this.#writeTable(number, merged);
    await this.#edit({
      nextFileNumber: this.#next,
      lastSequence: this.#sequence,
      deleted: old.map((table) => table.number),
      added: [{ number, size, level: 1 }],
    });
    for (const table of old) await rm(this.pathOf(nameOf(table.number, 'ldb')));
  }

  /** Writes a new MANIFEST and puts it into CURRENT, as an opening does where the old one has become long. */
  async renewManifest(): Promise<void> {
    const old = this.#manifest;
    this.#manifest = this.#next++;
    await this.#writeManifest([
      {
        comparator: 'idb_cmp1',
        logNumber: this.#log,
        prevLogNumber: 0,
        nextFileNumber: this.#next,
        lastSequence: this.#sequence,
        added: this.#tables.map(({ number, size }) => ({ number, size, level: 1 })),
      },
    ]);
    await rm(this.pathOf(`MANIFEST-${String(old).padStart(6, '0')}`));
  }

  /** Deletes everything and begins the database anew, as Chromium does with one that it can't read. */
  async beginAnew(): Promise<void> {
    await rm(this.#folder, { recursive: true });
    await mkdir(this.#folder);
    this.#manifest = 1;
    this.#next = 2;
    this.#sequence = 0;
    this.#flushed = 0;
    this.#tables = [];
    this.#unflushed = new Map();
    this.contents.clear();
    await this.#begin('idb_cmp1');
    await this.write([['e', 'new']]);
  }

  async #begin(comparator: string): Promise<void> {
    await this.#writeManifest([{ comparator, logNumber: 0, nextFileNumber: 2, lastSequence: 0 }]);
    this.#log = this.#next + 1;
    this.#next += 2;
    this.#records = [];
    await writeFile(this.pathOf(this.logName), '');
  }

  async #append(record: Buffer): Promise<void> {
    const before = writeLog(this.#records).length;
    this.#records.push(record);
    await appendFile(this.pathOf(this.logName), writeLog(this.#records).subarray(before));
  }

  async #writeTable(number: number, entries: Map<string, string | undefined>): Promise<number> {
    const sorted: WrittenEntry[] = [...entries]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => (value === undefined ? [key] : [key, value]));
    const bytes = writeTable(sorted, { compress: true, sequence: this.#flushed });
    await writeFile(this.pathOf(nameOf(number, 'ldb')), bytes);
    this.#tables.push({ number, entries, size: bytes.length });
    return bytes.length;
  }

  async #edit(edit: EditFields): Promise<void> {
    const before = writeLog(this.#edits).length;
    this.#edits.push(writeEdit(edit));
    await appendFile(
      this.pathOf(`MANIFEST-${String(this.#manifest).padStart(6, '0')}`),
      writeLog(this.#edits).subarray(before),
    );
  }

  async #writeManifest(edits: readonly EditFields[]): Promise<void> {
    const name = `MANIFEST-${String(this.#manifest).padStart(6, '0')}`;
    this.#edits = edits.map(writeEdit);
    await writeFile(this.pathOf(name), writeLog(this.#edits));
    await writeFile(this.pathOf('CURRENT.dbtmp'), `${name}\n`);
    await rename(this.pathOf('CURRENT.dbtmp'), this.pathOf('CURRENT'));
  }
}

/** What Chromium would read out of the database of a profile: its tables, then every log that is not in them yet. */
export async function contentsOf(profileDir: string): Promise<Contents> {
  const folder = path.join(profileDir, INDEXED_DB);
  const { version, files } = await readDatabase(fs, folder);
  const newest = new Map<string, { readonly sequence: number; readonly value: string | undefined }>();
  const note = (key: Uint8Array, sequence: number, value: Uint8Array | undefined) => {
    const name = Buffer.from(key).toString('latin1');
    if ((newest.get(name)?.sequence ?? -1) > sequence) return;
    newest.set(name, { sequence, value: value && Buffer.from(value).toString('latin1') });
  };
  for (const number of version.tables.keys()) {
    const file = await readAtOf(fs, path.join(folder, files.tables.get(number) ?? 'missing'));
    for await (const entry of tableEntries(file.readAt, file.size)) {
      const { userKey, sequence, isPut } = readInternalKey(entry);
      note(userKey, sequence, isPut ? entry.value : undefined);
    }
    await file.close();
  }
  for (const { name } of liveLogs(version, files.logs)) {
    readLog(await fs.promises.readFile(path.join(folder, name)), (record) => {
      for (const { key, sequence, value } of changesOf(record)) note(key, sequence, value);
    });
  }
  return new Map(
    [...newest].flatMap(([key, { value }]) => (value === undefined ? [] : [[key, value] as const])),
  );
}

function nameOf(number: number, extension: 'log' | 'ldb'): string {
  return `${String(number).padStart(6, '0')}.${extension}`;
}

import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The two halves of the login (docs/chromium-facts.md F1.1), by their names in the printed tables. */
export const DATABASES = {
  IndexedDB: 'Default/IndexedDB/https_web.whatsapp.com_0.indexeddb.leveldb',
  'Local Storage': 'Default/Local Storage/leveldb',
} as const;
export type DatabaseName = keyof typeof DATABASES;
export const DATABASE_NAMES = Object.keys(DATABASES) as DatabaseName[];

const LOG_BLOCK_BYTES = 32 * 1024;
const LOG_HEADER_BYTES = 7;

export type FileKind = 'CURRENT' | 'MANIFEST' | 'table' | 'log';

const KINDS: Readonly<Record<FileKind, RegExp>> = {
  CURRENT: /^CURRENT$/,
  MANIFEST: /^MANIFEST-\d+$/,
  table: /^\d+\.ldb$/,
  log: /^\d+\.log$/,
};

/** The files of one LevelDB in a profile that is not open, for damaging them. */
export class DatabaseOnDisk {
  readonly name: DatabaseName;
  readonly folder: string;

  constructor(profileDir: string, name: DatabaseName) {
    this.name = name;
    this.folder = join(profileDir, DATABASES[name]);
  }

  /** File names of one kind, oldest (lowest number) first. Without a kind: all files except LOCK and LOG. */
  async names(kind?: FileKind): Promise<string[]> {
    const patterns = kind === undefined ? Object.values(KINDS) : [KINDS[kind]];
    const names = (await readdir(this.folder)).filter((name) =>
      patterns.some((pattern) => pattern.test(name)),
    );
    return names.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1));
  }

  /** The newest file of a kind. Throws if there is none, because a case must have something to damage. */
  async newest(kind: FileKind): Promise<string> {
    const name = (await this.names(kind)).at(-1);
    if (name === undefined) throw new Error(`${this.name} has no ${kind} to damage`);
    return name;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  read(name: string): Promise<Buffer> {
    return readFile(this.path(name));
  }

  async change(name: string, change: (bytes: Buffer) => void): Promise<void> {
    const bytes = await this.read(name);
    change(bytes);
    await writeFile(this.path(name), bytes);
  }

  async cutTo(name: string, length: (size: number) => number): Promise<void> {
    const { length: size } = await this.read(name);
    await truncate(this.path(name), length(size));
  }
}

/** The starts of the fragments of a log or a MANIFEST (LevelDB, doc/log_format.md), and the end of the last one. */
export function fragmentStarts(bytes: Buffer): { readonly starts: readonly number[]; readonly end: number } {
  const starts: number[] = [];
  let at = 0;
  while (at + LOG_HEADER_BYTES <= bytes.length) {
    const leftInBlock = LOG_BLOCK_BYTES - (at % LOG_BLOCK_BYTES);
    if (leftInBlock < LOG_HEADER_BYTES) {
      at += leftInBlock;
      continue;
    }
    const length = bytes.readUInt16LE(at + 4);
    if (length === 0 && bytes[at + 6] === 0) break;
    starts.push(at);
    at += LOG_HEADER_BYTES + length;
  }
  return { starts, end: at };
}

/** The starts of whole records (type FULL or FIRST); a log that is cut there shows no trace of the loss. */
export function recordStarts(bytes: Buffer): number[] {
  return fragmentStarts(bytes).starts.filter((at) => bytes[at + 6] === 1 || bytes[at + 6] === 2);
}

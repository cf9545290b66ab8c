import { join } from 'node:path';
import type { FileSystem } from '../file-system.js';
import { readDataVersion } from '../profile/data-version.js';
import { ESSENTIAL_PATHS } from '../profile/essential-files.js';
import { crc32c, maskCrc } from '../profile/leveldb/crc32c.js';
import { readLog } from '../profile/leveldb/log-reader.js';

/** The content of a fake profile. */
export interface FakeLogin {
  /** The credential from the fake server. */
  readonly credential: string;
  /** Any text, to recognise after a restore which copy came back. */
  readonly note: string;
}

const LOCAL_STORAGE_PREFIX = '_https://web.whatsapp.com\0';
const FILE_MODE = 0o600;

/**
 * Writes a profile as Chromium would leave it: both halves of the login as small, sound LevelDB folders. Their
 * logs grow with every call, like those of a live browser.
 */
export async function writeFakeProfile(
  fs: FileSystem,
  profileDir: string,
  login: FakeLogin,
  chromium?: number,
): Promise<void> {
  const record = JSON.stringify(login);
  if (chromium) await writeDataVersion(fs, profileDir, chromium);
  await writeDatabase(fs, join(profileDir, ESSENTIAL_PATHS.indexedDbLevelDb), 'idb_cmp1', 'login', record);
  await writeDatabase(
    fs,
    join(profileDir, ESSENTIAL_PATHS.localStorageLevelDb),
    'leveldb.BytewiseComparator',
    `${LOCAL_STORAGE_PREFIX}login`,
    record,
  );
}

/** The login that a page would find: both halves exist with the same credential; else `undefined`. */
export async function readFakeProfile(fs: FileSystem, profileDir: string): Promise<FakeLogin | undefined> {
  const halves = await Promise.all(
    [ESSENTIAL_PATHS.indexedDbLevelDb, ESSENTIAL_PATHS.localStorageLevelDb].map((folder) =>
      lastLogin(fs, join(profileDir, folder)),
    ),
  );
  const [first, second] = halves;
  return first !== undefined && second !== undefined && first.credential === second.credential
    ? first
    : undefined;
}

/** The version of V8's values that Chromium 149 and later write, which is also the highest that they read. */
const V8_FROM_149 = 16;
const V8_BEFORE = 15;
const BLINK = 21;
/** Key of the metadata of the whole database with its data version. */
const DATA_VERSION_KEY = '\0\0\0\0\x02';

/** Does to a profile what a Chromium of this major version does as soon as a page opens. */
export async function openAsChromium(fs: FileSystem, profileDir: string, chromium: number): Promise<void> {
  const data = await readDataVersion({ fs, profileDir });
  if (data === undefined) return;
  if (data.v8 <= v8Of(chromium)) return writeDataVersion(fs, profileDir, chromium);
  const folder = join(profileDir, ESSENTIAL_PATHS.indexedDbLevelDb);
  await fs.promises.rm(folder, { recursive: true, force: true });
  await writeDataVersion(fs, profileDir, chromium);
}

function v8Of(chromium: number): number {
  return chromium >= 149 ? V8_FROM_149 : V8_BEFORE;
}

async function writeDataVersion(fs: FileSystem, profileDir: string, chromium: number): Promise<void> {
  const version = String.fromCharCode(BLINK, 0, 0, 0, v8Of(chromium));
  const folder = join(profileDir, ESSENTIAL_PATHS.indexedDbLevelDb);
  await writeDatabase(fs, folder, 'idb_cmp1', DATA_VERSION_KEY, version);
}

async function lastLogin(fs: FileSystem, folder: string): Promise<FakeLogin | undefined> {
  try {
    await fs.promises.readFile(join(folder, 'CURRENT'));
    await fs.promises.readFile(join(folder, 'MANIFEST-000001'));
    const log = (await fs.promises.readFile(join(folder, '000003.log'))).toString('latin1');
    const found = [...log.matchAll(/\{"credential":.*?\}/g)].at(-1)?.[0];
    return found === undefined ? undefined : (JSON.parse(found) as FakeLogin);
  } catch {
    return undefined; // half of it is missing or damaged
  }
}

async function writeDatabase(
  fs: FileSystem,
  folder: string,
  comparator: string,
  key: string,
  value: string,
): Promise<void> {
  await fs.promises.mkdir(folder, { recursive: true });
  const log = join(folder, '000003.log');
  const before = await fs.promises.readFile(log).catch(() => Buffer.alloc(0));
  const edit = Buffer.concat([
    field(1, text(comparator)),
    field(2, varint(3)),
    field(9, varint(0)),
    field(3, varint(4)),
    field(4, varint(0)),
  ]);
  const batch = Buffer.alloc(12);
  // LevelDB numbers the changes of a database without a gap; here each record has one.
  batch.writeBigUInt64LE(BigInt(readLog(before).records + 1));
  batch.writeUInt32LE(1, 8);
  const put = Buffer.concat([batch, Buffer.from([1]), text(key), text(value)]);
  await fs.promises.writeFile(log, Buffer.concat([before, logRecord(put)]), { mode: FILE_MODE });
  await writeUnlessThere(fs, join(folder, 'MANIFEST-000001'), logRecord(edit));
  await writeUnlessThere(fs, join(folder, 'CURRENT'), Buffer.from('MANIFEST-000001\n'));
}

/** Leaves a file with these bytes as it is: a running browser does not write these two again. */
async function writeUnlessThere(fs: FileSystem, path: string, bytes: Buffer): Promise<void> {
  const before = await fs.promises.readFile(path).catch(() => undefined);
  if (before === undefined || !bytes.equals(before))
    await fs.promises.writeFile(path, bytes, { mode: FILE_MODE });
}

/** One complete record of LevelDB's log format; valid for the first 32 KB of a file. */
function logRecord(payload: Buffer): Buffer {
  const FULL = 1;
  const header = Buffer.alloc(7);
  header.writeUInt32LE(maskCrc(crc32c(Buffer.concat([Buffer.from([FULL]), payload]))) >>> 0);
  header.writeUInt16LE(payload.length, 4);
  header[6] = FULL;
  return Buffer.concat([header, payload]);
}

function field(tag: number, value: Buffer): Buffer {
  return Buffer.concat([varint(tag), value]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Buffer.from([...bytes, rest]);
}

import type { FileSystem } from '../../file-system.js';
import { ESSENTIAL_PATHS } from '../essential-files.js';
import { DamageError } from '../leveldb/damage.js';
import type { Database } from '../leveldb/database.js';
import { readAtOf } from '../leveldb/read-at.js';
import { tableEntries } from '../leveldb/table.js';
import { changesOf } from '../leveldb/write-batch.js';
import { isMissing, lstatIfPresent } from '../walk.js';

/** Local Storage keeps a page's items under `_<origin>\0<key>` (Chromium, local_storage_impl.cc). */
const ITEM_PREFIX = Buffer.from('_https://web.whatsapp.com\0', 'latin1');
/**
 * Tables above this total size are not searched. Local Storage had 9 KB after 100 MB of traffic
 * (docs/chromium-facts.md F1.1).
 */
const MAX_TABLE_BYTES = 8 * 1024 * 1024;

/** Whether a log record (a LevelDB write batch) stores an item of web.whatsapp.com. */
export function recordHoldsWhatsApp(record: Uint8Array): boolean {
  try {
    for (const { key, value } of changesOf(record)) {
      if (value !== undefined && isWhatsAppItem(key)) return true;
    }
    return false;
  } catch (error) {
    if (error instanceof DamageError) return false;
    throw error;
  }
}

/**
 * Whether the tables of a database hold an item of web.whatsapp.com; `undefined` when they are too large or
 * unreadable.
 */
export async function tablesHoldWhatsApp(
  fs: FileSystem,
  folder: string,
  { version, files }: Database,
): Promise<boolean | undefined> {
  const bytes = [...version.tables.values()].reduce((sum, size) => sum + size, 0);
  if (bytes > MAX_TABLE_BYTES) return undefined;
  try {
    for (const number of version.tables.keys()) {
      const file = await readAtOf(fs, `${folder}/${files.tables.get(number) ?? 'missing'}`);
      try {
        for await (const { key } of tableEntries(file.readAt, file.size))
          if (isWhatsAppItem(key)) return true;
      } finally {
        await file.close();
      }
    }
    return false;
  } catch (error) {
    if (error instanceof DamageError || isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Whether the SQLite layout, where origins are plain text, names web.whatsapp.com; `undefined` when it is too large.
 */
export async function sqliteHoldsWhatsApp(fs: FileSystem, profileDir: string): Promise<boolean | undefined> {
  for (const suffix of ['', '-wal']) {
    const path = `${profileDir}/${ESSENTIAL_PATHS.localStorageSqlite}${suffix}`;
    const stats = await lstatIfPresent(fs, path);
    if (stats?.isFile() !== true) continue;
    if (stats.size > MAX_TABLE_BYTES) return undefined;
    if (Buffer.from(await fs.promises.readFile(path)).includes('https://web.whatsapp.com')) return true;
  }
  return false;
}

function isWhatsAppItem(key: Uint8Array): boolean {
  return key.length >= ITEM_PREFIX.length && ITEM_PREFIX.equals(key.subarray(0, ITEM_PREFIX.length));
}

import { PRIVATE_FOLDER_MODE } from '../../file-system.js';
import type { CapturedFile } from '../../types.js';
import { DamageError, naming } from '../leveldb/damage.js';
import { listDatabaseFiles, liveLogs, parseCurrent } from '../leveldb/database.js';
import { parseManifest, type Version } from '../leveldb/version-edit.js';
import { checkLevelDb } from '../soundness/check-leveldb.js';
import { readFolder, sameSignature, throwIfAborted } from '../walk.js';
import { type CapturePlaces, copyPrefix, linkOrCopy, readSignature } from './copy-file.js';
import { ChangedMeanwhile } from './retry.js';

/** Tables that an earlier attempt has taken already, by path. They never change, so they need not be taken again. */
export type TakenTables = Map<string, CapturedFile>;

/**
 * One attempt at a consistent copy of a LevelDB that may be written to; the order is what makes it consistent
 * (docs/chromium-facts.md F1.4):
 *
 * 1. CURRENT, and the MANIFEST it names up to its length now: from here on the list of tables is fixed
 * 2. the tables of that list: one that a compaction has deleted meanwhile means another attempt
 * 3. the logs: listed once, then copied by rising number. LevelDB begins a new log only when it writes no more to
 *    the one before, so all but the last are complete, and the last one's length is the moment of the copy
 * 4. CURRENT again: another one means another attempt. A MANIFEST that grew does not: that is what step 1 is for
 *
 * Throws {@link ChangedMeanwhile}, `ENOENT` or {@link DamageError} where another attempt may do better.
 */
export async function captureLevelDb(
  places: CapturePlaces,
  folder: string,
  taken: TakenTables,
): Promise<CapturedFile[]> {
  const { fs, profileDir, targetDir, signal } = places;
  await prepareTarget(places, folder, taken);
  const logsBefore = (await listDatabaseFiles(fs, `${profileDir}/${folder}`)).logs;

  const current = await copyPrefix(places, `${folder}/CURRENT`);
  const currentBytes = await fs.promises.readFile(`${targetDir}/${current.path}`);
  const manifestName = parseCurrent(currentBytes);
  const manifest = await copyPrefix(places, `${folder}/${manifestName}`);
  const manifestBytes = await fs.promises.readFile(`${targetDir}/${manifest.path}`);
  const version = naming(manifestName, () => parseManifest(manifestBytes));

  const tables = await takeTables(places, folder, version, taken);
  const listed = (await listDatabaseFiles(fs, `${profileDir}/${folder}`)).logs;
  assertNoLogVanished(folder, version, logsBefore, listed);
  const logs: CapturedFile[] = [];
  for (const { name } of liveLogs(version, listed)) logs.push(await copyPrefix(places, `${folder}/${name}`));

  if (!sameSignature(await readSignature(places, current.path), current.source)) {
    throw new ChangedMeanwhile(current.path, 'it was replaced while the database was copied');
  }
  const { problems } = await checkLevelDb({ fs, profileDir: targetDir, folder, depth: 'quick', signal });
  const grave = problems.find(({ weight }) => weight === 'corrupt');
  if (grave !== undefined) throw new DamageError(grave.problem, grave.file);
  return [current, manifest, ...tables, ...logs];
}

/** Removes what an earlier attempt has left, except for tables. */
async function prepareTarget(places: CapturePlaces, folder: string, taken: TakenTables): Promise<void> {
  const target = `${places.targetDir}/${folder}`;
  await places.fs.promises.mkdir(target, { recursive: true, mode: PRIVATE_FOLDER_MODE });
  for (const { name } of await readFolder(places.fs, target)) {
    if (!taken.has(`${folder}/${name}`)) await places.fs.promises.rm(`${target}/${name}`, { force: true });
  }
}

async function takeTables(
  places: CapturePlaces,
  folder: string,
  version: Version,
  taken: TakenTables,
): Promise<CapturedFile[]> {
  const { fs, profileDir, targetDir, signal } = places;
  const names = (await listDatabaseFiles(fs, `${profileDir}/${folder}`)).tables;
  const wanted = new Set<string>();
  for (const number of version.tables.keys()) {
    throwIfAborted(signal);
    const name = names.get(number);
    const path = `${folder}/${name ?? `${String(number).padStart(6, '0')}.ldb`}`;
    if (name === undefined) throw new ChangedMeanwhile(path, 'the table is missing');
    wanted.add(path);
    const before = taken.get(path);
    if (before !== undefined && sameSignature(before.source, await readSignature(places, path))) continue;
    taken.delete(path);
    await fs.promises.rm(`${targetDir}/${path}`, { force: true });
    taken.set(path, await linkOrCopy(places, path));
  }
  for (const path of [...taken.keys()].filter((path) => !wanted.has(path))) {
    taken.delete(path);
    await fs.promises.rm(`${targetDir}/${path}`, { force: true });
  }
  return [...taken.values()];
}

/** A live log that goes away has become a table which the copied MANIFEST does not name yet. */
function assertNoLogVanished(
  folder: string,
  version: Version,
  before: readonly { readonly number: number; readonly name: string }[],
  now: readonly { readonly number: number }[],
): void {
  const present = new Set(now.map(({ number }) => number));
  const gone = liveLogs(version, before).find(({ number }) => !present.has(number));
  if (gone !== undefined)
    throw new ChangedMeanwhile(`${folder}/${gone.name}`, 'the log became a table meanwhile');
  if (version.logNumber > 0 && !present.has(version.logNumber)) {
    const name = `${String(version.logNumber).padStart(6, '0')}.log`;
    throw new ChangedMeanwhile(`${folder}/${name}`, 'the log is missing');
  }
}

import { makeFolders } from '../../file-system.js';
import type { CapturedFile } from '../../types.js';
import { DamageError, naming } from '../leveldb/damage.js';
import { listDatabaseFiles, liveLogs, parseCurrent } from '../leveldb/database.js';
import { parseManifest, type Version } from '../leveldb/version-edit.js';
import { checkLevelDb } from '../soundness/check-leveldb.js';
import { readFolder, sameSignature, throwIfAborted } from '../walk.js';
import { type CapturePlaces, copyPrefix, linkOrCopy, readSignature } from './copy-file.js';
import { ChangedMeanwhile } from './retry.js';

/** Tables that an earlier attempt has copied, by path. Tables never change, so they are not copied again. */
export type TakenTables = Map<string, CapturedFile>;

/**
 * Makes one attempt to copy consistently a LevelDB that a browser may write to. The order of the steps makes the copy
 * consistent (docs/chromium-facts.md F1.4):
 *
 * 1. Copy CURRENT, and the MANIFEST it names up to its present length. Now the list of tables is fixed.
 * 2. Copy the tables of that list. If a compaction has deleted one meanwhile, another attempt is needed.
 * 3. List the logs once, then copy them by ascending number. LevelDB begins a new log only when it no longer writes to the
 *    one before. So all logs but the last are complete, and the length of the last one determines the moment of the copy.
 * 4. Read CURRENT again. If it has changed, another attempt is needed; a MANIFEST that only grew is no problem, because
 *    step 1 fixed its length.
 *
 * Throws {@link ChangedMeanwhile}, `ENOENT` or {@link DamageError} when another attempt may succeed.
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

/** Removes the files of an earlier attempt, except for tables. */
async function prepareTarget(places: CapturePlaces, folder: string, taken: TakenTables): Promise<void> {
  const target = `${places.targetDir}/${folder}`;
  await makeFolders(places.fs, target);
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

/** If a live log disappears, its records are now in a table that the copied MANIFEST does not name yet. */
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

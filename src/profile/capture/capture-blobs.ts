import type { Clock } from '../../clock.js';
import { PRIVATE_FOLDER_MODE } from '../../file-system.js';
import type { CapturedFile } from '../../types.js';
import { ESSENTIAL_PATHS } from '../essential-files.js';
import type { BlobNames } from '../soundness/named-blobs.js';
import { isMissing, sameSignature, throwIfAborted, walkFiles } from '../walk.js';
import { type CapturePlaces, copyPrefix, linkOrCopy, readSignature } from './copy-file.js';

/** A blob that was not touched for so long is complete and may be linked; a younger one may still grow. */
const COMPLETE_AFTER_MS = 60_000;

/** Blobs that were taken already, by path. */
export type TakenBlobs = Map<string, CapturedFile>;

/**
 * Takes every blob that is there now. Called *before and after* the database is copied: a blob is written before the
 * record that names it, and deleted after that record is. Taken only before, a new record could lack its blob; taken
 * only afterwards, an old record could.
 */
export async function takeBlobs(places: CapturePlaces, clock: Clock, taken: TakenBlobs): Promise<void> {
  const { fs, profileDir, targetDir, signal } = places;
  for await (const { path, modifiedMs } of walkFiles(fs, profileDir, ESSENTIAL_PATHS.indexedDbBlobs)) {
    throwIfAborted(signal);
    try {
      if (sameSignature(taken.get(path)?.source, await readSignature(places, path))) continue;
      await fs.promises.mkdir(`${targetDir}/${path.slice(0, path.lastIndexOf('/'))}`, {
        recursive: true,
        mode: PRIVATE_FOLDER_MODE,
      });
      await fs.promises.rm(`${targetDir}/${path}`, { force: true });
      taken.delete(path);
      const isComplete = clock.now() - modifiedMs > COMPLETE_AFTER_MS;
      taken.set(path, isComplete ? await linkOrCopy(places, path) : await copyPrefix(places, path));
    } catch (error) {
      if (!isMissing(error)) throw error;
      // Deleted meanwhile. What was taken of it before stays: an older record may name it.
      if (!taken.has(path)) await fs.promises.rm(`${targetDir}/${path}`, { force: true });
    }
  }
}

/**
 * Leaves out the blobs that no record of the copied database has ever named, if they may still have been written: if they
 * are young, or were not there, as they are now, before the database was copied. Chromium never looks at them, but a later
 * comparison does: half a blob that has become whole since would look like damage, and so would another one under its
 * number, which a database that was restored gives away once more. Called after the last {@link takeBlobs}.
 */
export async function leaveOutUnnamed(
  { fs, targetDir }: CapturePlaces,
  clock: Clock,
  taken: TakenBlobs,
  {
    names,
    before,
  }: { readonly names: BlobNames | undefined; readonly before: ReadonlyMap<string, CapturedFile> },
): Promise<void> {
  if (names === undefined) return;
  const isUnfinished = ({ path, source }: CapturedFile) =>
    clock.now() - Number(source.mtimeNs) / 1e6 <= COMPLETE_AFTER_MS ||
    !sameSignature(before.get(path)?.source, source);
  const unnamed = [...taken.values()].filter(({ path }) => !names.ever.has(path));
  // Old ones, and none that has a name: a later Chromium names them in a way that this reader does not see.
  if (unnamed.length === taken.size && !unnamed.every(isUnfinished)) return;
  for (const { path } of unnamed.filter(isUnfinished)) {
    await fs.promises.rm(`${targetDir}/${path}`, { force: true });
    taken.delete(path);
  }
}

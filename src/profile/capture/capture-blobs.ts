import type { Clock } from '../../clock.js';
import { makeFolders } from '../../file-system.js';
import type { CapturedFile } from '../../types.js';
import { ESSENTIAL_PATHS } from '../essential-files.js';
import type { BlobNames } from '../soundness/named-blobs.js';
import { isMissing, sameSignature, throwIfAborted, walkFiles } from '../walk.js';
import { type CapturePlaces, copyPrefix, linkOrCopy, readSignature } from './copy-file.js';

/** A blob that was not written for this time is complete and may be hard-linked; a younger one may still grow. */
const COMPLETE_AFTER_MS = 60_000;

/** Blobs that were already copied, by path. */
export type TakenBlobs = Map<string, CapturedFile>;

/**
 * Copies every blob that exists now. Call this both *before and after* the database is copied: a blob is written before the
 * record that names it, and deleted after that record. If blobs were copied only before, a new record could lack its blob;
 * if only afterwards, an old record could.
 */
export async function takeBlobs(places: CapturePlaces, clock: Clock, taken: TakenBlobs): Promise<void> {
  const { fs, profileDir, targetDir, signal } = places;
  for await (const { path, modifiedMs } of walkFiles(fs, profileDir, ESSENTIAL_PATHS.indexedDbBlobs)) {
    throwIfAborted(signal);
    try {
      if (sameSignature(taken.get(path)?.source, await readSignature(places, path))) continue;
      await makeFolders(fs, `${targetDir}/${path.slice(0, path.lastIndexOf('/'))}`);
      await fs.promises.rm(`${targetDir}/${path}`, { force: true });
      taken.delete(path);
      const isComplete = clock.now() - modifiedMs > COMPLETE_AFTER_MS;
      taken.set(path, isComplete ? await linkOrCopy(places, path) : await copyPrefix(places, path));
    } catch (error) {
      if (!isMissing(error)) throw error;
      // It was deleted meanwhile. A copy that was made earlier stays, because an older record may name it.
      if (!taken.has(path)) await fs.promises.rm(`${targetDir}/${path}`, { force: true });
    }
  }
}

/**
 * Leaves out blobs that may be unfinished: those that no record of the copied database has ever named, and that are young,
 * or are new or changed since before the database was copied. Chromium never reads them, but a later comparison does. If
 * such a blob is complete by then, the difference would look like damage. So would another blob with the same number, which
 * a restored database uses again. Call this after the last {@link takeBlobs}.
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
  // If no blob is named although there are old ones, a later Chromium may name them in a way that this reader can't read.
  if (unnamed.length === taken.size && !unnamed.every(isUnfinished)) return;
  for (const { path } of unnamed.filter(isUnfinished)) {
    await fs.promises.rm(`${targetDir}/${path}`, { force: true });
    taken.delete(path);
  }
}

import { dirname, join } from 'node:path';
import { describeError } from '../errors.js';
import { PRIVATE_FOLDER_MODE } from '../file-system.js';
import { ESSENTIAL_PATHS } from '../profile/essential-files.js';
import { type MissingBlob, missingBlobsTask } from '../profile/missing-blobs.js';
import { lstatIfPresent, signatureOf } from '../profile/walk.js';
import type { CapturedFile, CapturedTree, SnapshotFile } from '../types.js';
import type { SessionContext } from './session-context.js';
import type { LocatedSnapshot, SessionSnapshots } from './session-snapshots.js';

/**
 * Brings the files of large values (blobs) back that a profile has lost, out of the snapshot that it is based on. A blob never
 * changes under its name, so that it is put back by itself: a whole snapshot in the profile's place would undo what came
 * since. Other snapshots do not count: after a restore Chromium gives their blobs' numbers away once more.
 */
export class BlobRescue {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;
  /** The snapshot does not have them: they may be lost for years, and nobody has to be told again. */
  readonly #givenUp = new Set<string>();

  constructor(context: SessionContext, snapshots: SessionSnapshots) {
    this.#context = context;
    this.#snapshots = snapshots;
  }

  /**
   * Mends a profile that no browser has open. Rejects only for an abort, or when another owns the session.
   *
   * @param damaged blobs that are there, and not what they were
   * @returns whether all of those are whole again
   */
  async mend(damaged: readonly string[], signal: AbortSignal): Promise<boolean> {
    const { runner, profileDir, logger } = this.#context;
    try {
      const missing = await runner.run(missingBlobsTask, { profileDir }, { signal });
      const found = await this.#bringBack(missing, damaged, profileDir, signal);
      const paths = new Set(found.map(({ path }) => path));
      return damaged.every((path) => paths.has(path));
    } catch (error) {
      if (signal.aborted || describeError(error).code === 'LEASE_LOST') throw error;
      logger.warn('large values could not be brought back', { error: describeError(error) });
      return damaged.length === 0;
    }
  }

  /** Gives a capture what the profile has lost, until the next start mends that. Rejects only for an abort. */
  async complete(
    tree: CapturedTree,
    missing: readonly MissingBlob[],
    signal: AbortSignal,
  ): Promise<CapturedTree> {
    const { directory } = tree;
    try {
      const found = await this.#bringBack(missing, [], directory, signal);
      const files = await Promise.all(found.map((file) => this.#asCaptured(directory, file)));
      return { directory, files: [...tree.files, ...files].sort((a, b) => (a.path < b.path ? -1 : 1)) };
    } catch (error) {
      if (signal.aborted) throw error;
      this.#context.logger.warn('large values could not be added', { error: describeError(error) });
      return tree;
    }
  }

  async #asCaptured(directory: string, { path, size, sha256 }: SnapshotFile): Promise<CapturedFile> {
    const stats = await this.#context.fs.promises.lstat(join(directory, path), { bigint: true });
    return { path, size, sha256, source: signatureOf(stats) };
  }

  async #bringBack(
    missing: readonly MissingBlob[],
    damaged: readonly string[],
    targetDir: string,
    signal: AbortSignal,
  ): Promise<readonly SnapshotFile[]> {
    const sizes = new Map(missing.map(({ path, size }) => [path, size]));
    const wanted = new Set([...sizes.keys(), ...damaged].filter((path) => !this.#givenUp.has(path)));
    if (wanted.size === 0) return [];
    const source = await this.#source();
    const manifest = await source?.repository.manifest(source.info.id);
    const files = (manifest?.files ?? []).filter(
      ({ path, size }) => wanted.has(path) && (sizes.get(path) ?? size) === size,
    );
    if (source && files.length > 0) await this.#take(source, files, targetDir, signal);
    for (const { path } of files) wanted.delete(path);
    for (const path of wanted) this.#givenUp.add(path);
    this.#tell(files.length, wanted.size);
    return files;
  }

  async #source(): Promise<LocatedSnapshot | undefined> {
    const { basedOn, lineage } = this.#context.record.current;
    const candidates = await this.#snapshots.candidates(lineage);
    return basedOn === undefined ? candidates[0] : candidates.find(({ info }) => info.id === basedOn);
  }

  /** The whole snapshot is unpacked and verified for it: that is seldom needed. */
  async #take(
    { info, repository }: LocatedSnapshot,
    files: readonly SnapshotFile[],
    targetDir: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { folders, fs, assertOwned } = this.#context;
    const staged = await folders.createStaging();
    try {
      await repository.restore(info.id, staged, { signal });
      await assertOwned();
      const blobs = join(targetDir, ESSENTIAL_PATHS.indexedDbBlobs);
      if ((await lstatIfPresent(fs, blobs))?.isDirectory() === false) await fs.promises.rm(blobs);
      for (const { path } of files) {
        await fs.promises.mkdir(dirname(join(targetDir, path)), {
          recursive: true,
          mode: PRIVATE_FOLDER_MODE,
        });
        await fs.promises.rename(join(staged, path), join(targetDir, path));
      }
    } finally {
      await folders.removeStaging(staged);
    }
  }

  #tell(found: number, lost: number): void {
    const back = found > 0 ? [`${found} were brought back from the last snapshot`] : [];
    const gone = lost > 0 ? [`that does not have ${lost} of them, and the login goes on without`] : [];
    this.#context.warn(
      'large-values-missing',
      `${found + lost} files of large values (blobs) were gone or damaged: ${[...back, ...gone].join('; ')}`,
    );
  }
}

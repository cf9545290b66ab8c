import { dirname, join } from 'node:path';
import { describeError } from '../../errors.js';
import { makeFolders } from '../../file-system.js';
import { patientFileSystem } from '../../patient-file-system.js';
import { ESSENTIAL_PATHS, isBlobPath } from '../../profile/essential-files.js';
import { type MissingBlob, missingBlobsTask } from '../../profile/missing-blobs.js';
import { lstatIfPresent, throwIfAborted } from '../../profile/walk.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import type { SnapshotManifest } from '../../types.js';
import { answered, askStores, type StorePatience } from '../context/ask-stores.js';
import { allRepositories, type SessionContext } from '../context/session-context.js';

/** The snapshot on which a profile is based, and its store. */
interface Source {
  readonly repository: SnapshotRepository;
  readonly manifest: SnapshotManifest;
}

/**
 * Brings back the files of large values (blobs) that a profile has lost, from the snapshot on which it is based.
 * A blob never changes under its name, so only the lost blobs are put back; restoring the whole snapshot would undo
 * later changes. Other snapshots are not used, because after a restore Chromium assigns their blobs' numbers again.
 */
export class BlobRescue {
  readonly #context: SessionContext;
  /** Blobs that were already reported, since they may stay lost for years. */
  readonly #told = new Set<string>();

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /**
   * Repairs a profile that no browser has open, as far as possible; the login can start without the blobs. Rejects
   * only when aborted, or when another process owns the session.
   *
   * @param mayMend asked before something is changed: whether the rest of the profile is sound
   */
  async mend(signal: AbortSignal, patience: StorePatience, mayMend: () => Promise<boolean>): Promise<void> {
    const { runner, profileDir, logger } = this.#context;
    try {
      const source = await this.#source(patience);
      // The snapshot has no blobs, so the start need not read the blobs' names.
      if (!source?.manifest.files.some(({ path }) => isBlobPath(path))) return;
      const missing = await runner.run(missingBlobsTask, { profileDir }, { signal });
      if (missing.length > 0 && (await mayMend())) await this.#bringBack(source, missing, signal);
    } catch (error) {
      if (signal.aborted || describeError(error).code === 'LEASE_LOST') throw error;
      logger.warn('large values could not be brought back', { error: describeError(error) });
    }
  }

  /** Reports blobs that a capture found missing. The login and its saves continue. */
  tell(missing: readonly MissingBlob[]): void {
    this.#tell(
      missing,
      'the login goes on without them, and so do its snapshots from here on; restore(id) of an older one brings them back',
    );
  }

  async #bringBack(source: Source, missing: readonly MissingBlob[], signal: AbortSignal): Promise<void> {
    const { id, files } = source.manifest;
    const sizes = new Map(missing.map(({ path, size }) => [path, size]));
    const wanted = files.filter(({ path, size }) => sizes.get(path) === size);
    const isBack = wanted.length > 0 ? await this.#take(source, wanted, signal) : new Set<string>();
    this.#tell(
      missing.filter(({ path }) => isBack.has(path)),
      `brought back from the snapshot ${id}`,
    );
    this.#tell(
      missing.filter(({ path }) => !isBack.has(path)),
      `the snapshot ${id} does not bring them back`,
    );
  }

  async #source(patience: StorePatience): Promise<Source | undefined> {
    const { basedOn } = this.#context.record.current;
    if (basedOn === undefined) return undefined;
    const answers = await askStores(
      allRepositories(this.#context),
      (repository) => repository.manifest(basedOn),
      patience,
    );
    const [found] = answered(answers);
    return found && { repository: found.repository, manifest: found.value };
  }

  /** Unpacks and verifies the whole snapshot, which is seldom needed. Returns the paths that were put back. */
  async #take(
    { repository, manifest }: Source,
    files: readonly MissingBlob[],
    signal: AbortSignal,
  ): Promise<ReadonlySet<string>> {
    const { folders, assertOwned, profileDir, logger } = this.#context;
    const fs = patientFileSystem(this.#context.fs, this.#context);
    const isBack = new Set<string>();
    const staged = await folders.createStaging();
    try {
      await repository.restore(manifest.id, staged, { signal });
      await assertOwned();
      const blobs = join(profileDir, ESSENTIAL_PATHS.indexedDbBlobs);
      if ((await lstatIfPresent(fs, blobs))?.isDirectory() === false) await fs.promises.rm(blobs);
      for (const { path } of files) {
        throwIfAborted(signal);
        const target = join(profileDir, path);
        try {
          await makeFolders(fs, dirname(target));
          await fs.promises.rename(join(staged, path), target);
          isBack.add(path);
        } catch (error) {
          logger.warn('a large value could not be put back', { path, error: describeError(error) });
        }
      }
    } finally {
      await folders.removeStaging(staged);
    }
    return isBack;
  }

  #tell(blobs: readonly MissingBlob[], what: string): void {
    const news = blobs.filter(({ path }) => !this.#told.has(path));
    if (news.length === 0) return;
    for (const { path } of news) this.#told.add(path);
    this.#context.warn(
      'large-values-missing',
      `${news.length} files of large values (blobs) were gone that IndexedDB still names: ${what}`,
    );
  }
}

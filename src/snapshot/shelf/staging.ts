import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { errnoOf } from '../../errors.js';
import { type FileSystem, makeFolders } from '../../file-system.js';
import { assertRealFolder, isRealFolder } from '../../real-folder.js';
import type { SweepResult } from '../repository.js';

/** The last two folder names of `staging/<clientId>` or `<clientId>/worker` are ours and must not be symbolic links. */
const OWN_FOLDERS = 2;
const SUFFIX = '.zip.partial';
/** Files in use by any repository of this process, because several may share one folder. */
const inUse = new Set<string>();

/** Temporary zips in a folder that the caller chooses. `sweep` removes those that a crash left there. */
export class Staging {
  readonly #fs: FileSystem;
  readonly #directory: string;

  constructor(fs: FileSystem, directory: string) {
    this.#fs = fs;
    this.#directory = directory;
  }

  /** Gives `work` the path of a file that does not exist yet, and removes the file afterwards. */
  async withFile<Result>(work: (path: string) => Promise<Result>): Promise<Result> {
    const path = join(this.#directory, `${randomBytes(8).toString('hex')}${SUFFIX}`);
    await assertRealFolder(this.#fs, this.#directory, OWN_FOLDERS);
    await makeFolders(this.#fs, this.#directory);
    inUse.add(path);
    try {
      return await work(path);
    } finally {
      await this.#fs.promises.rm(path, { force: true }).catch(() => undefined);
      inUse.delete(path);
    }
  }

  async sweep(): Promise<SweepResult> {
    let freedBytes = 0;
    let files = 0;
    if (!(await isRealFolder(this.#fs, this.#directory, OWN_FOLDERS))) return { freedBytes, files };
    for (const name of await this.#names()) {
      const path = join(this.#directory, name);
      if (!name.endsWith(SUFFIX) || inUse.has(path)) continue;
      const { size } = await this.#fs.promises.lstat(path);
      await this.#fs.promises.rm(path, { force: true });
      freedBytes += size;
      files += 1;
    }
    return { freedBytes, files };
  }

  async #names(): Promise<readonly string[]> {
    try {
      return await this.#fs.promises.readdir(this.#directory);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return [];
      throw error;
    }
  }
}

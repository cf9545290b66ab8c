import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { errnoOf } from '../../errors.js';
import { type FileSystem, PRIVATE_FOLDER_MODE } from '../../file-system.js';
import { readOwnFile, writeOwnFile } from '../../own-file.js';
import { isRealFolder } from '../../real-folder.js';
import type { ObjectInfo } from '../../stores/session-store.js';
import type { SnapshotKind, SnapshotManifest } from '../../types.js';
import { parseManifest, serializeManifest } from '../manifest/manifest.js';
import { findSnapshotId } from '../manifest/snapshot-id.js';

/** The last two folder names, `manifests/<clientId>`, are ours and must not be symbolic links. */
const OWN_FOLDERS = 2;
const NAME = /^[0-9a-f]{32}\.json$/;

/** The object of a manifest, as its store tells it. */
type ManifestObject = Pick<ObjectInfo, 'key' | 'version'>;

export interface ManifestFolderParameters {
  readonly fs: FileSystem;
  readonly directory: string;
  /** The name of the store, unique in the session. */
  readonly storeName: string;
  readonly kind: SnapshotKind;
  /** Whether this process owns the session; nothing is read or written otherwise. */
  readonly isOwned: () => boolean;
}

/**
 * The manifests of the snapshots of one kind in a remote store that this machine has read, so that a start need not read them again: an object that
 * still has its version still has its value. Whatever fails here is ignored, because the store has it all.
 */
export class ManifestFolder {
  readonly #parameters: ManifestFolderParameters;
  readonly #prefix: string;

  constructor(parameters: ManifestFolderParameters) {
    this.#parameters = parameters;
    this.#prefix = sha256(`${parameters.kind}\n${parameters.storeName}`).slice(0, 8);
  }

  async read(object: ManifestObject): Promise<SnapshotManifest | undefined> {
    const { fs, directory } = this.#parameters;
    try {
      if (!this.#isUsable(object) || !(await isRealFolder(fs, directory, OWN_FOLDERS))) return undefined;
      const text = await readOwnFile(fs, this.#pathOf(object));
      return text === undefined ? undefined : parseManifest(Buffer.from(text));
    } catch {
      return undefined;
    }
  }

  async write(object: ManifestObject, manifest: SnapshotManifest): Promise<void> {
    const { fs, directory } = this.#parameters;
    try {
      if (!this.#isUsable(object) || !(await isRealFolder(fs, directory, OWN_FOLDERS))) return;
      // Not `recursive`: a folder of the session that somebody has removed must not be made again.
      for (const folder of [dirname(directory), directory]) await makeFolder(fs, folder);
      const text = Buffer.from(serializeManifest(manifest)).toString('utf8');
      await writeOwnFile(fs, this.#pathOf(object), text, { durable: false });
    } catch {
      return;
    }
  }

  /** Deletes the manifests of this store that are of no object among these. */
  async keep(objects: Iterable<ManifestObject>): Promise<void> {
    const { fs, directory, isOwned } = this.#parameters;
    try {
      if (!isOwned() || !(await isRealFolder(fs, directory, OWN_FOLDERS))) return;
      const kept = new Set([...objects].map((object) => this.#nameOf(object)));
      for (const name of await fs.promises.readdir(directory)) {
        if (!NAME.test(name) || !name.startsWith(this.#prefix) || kept.has(name)) continue;
        await fs.promises.rm(join(directory, name), { force: true });
      }
      for (const folder of [directory, dirname(directory)]) await fs.promises.rmdir(folder); // if empty
    } catch {
      return;
    }
  }

  /** A name that a person has chosen may come back with another value, so its version alone is no proof. */
  #isUsable({ key }: ManifestObject): boolean {
    return this.#parameters.isOwned() && findSnapshotId(key) !== undefined;
  }

  #pathOf(object: ManifestObject): string {
    return join(this.#parameters.directory, this.#nameOf(object));
  }

  #nameOf({ key, version }: ManifestObject): string {
    return `${this.#prefix}${sha256(`${key}\n${version}`).slice(0, 24)}.json`;
  }
}

async function makeFolder(fs: FileSystem, folder: string): Promise<void> {
  try {
    await fs.promises.mkdir(folder, { mode: PRIVATE_FOLDER_MODE });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { FileSystem } from '../../../src/file-system.js';
import type { ObjectInfo, PutOptions } from '../../../src/stores/session-store.js';
import { TinyStore } from './memory-store.js';

/** A local store in miniature: keeps plain files below `root`, offers `putFile` and `localPath`. */
export class TinyLocalStore extends TinyStore {
  override readonly name = 'tiny-local';
  readonly #fs: FileSystem;
  readonly #root: string;

  constructor(fs: FileSystem, root: string) {
    super();
    this.#fs = fs;
    this.#root = root;
  }

  localPath(key: string): string {
    return join(this.#root, key);
  }

  override async put(key: string, body: Uint8Array | Readable, options?: PutOptions): Promise<ObjectInfo> {
    const info = await super.put(key, body, options);
    await this.#write(key);
    return info;
  }

  async putFile(key: string, path: string, options: PutOptions = {}): Promise<ObjectInfo> {
    return this.put(key, await this.#fs.promises.readFile(path), options);
  }

  override async delete(key: string): Promise<boolean> {
    await this.#fs.promises.rm(this.localPath(key), { force: true });
    return super.delete(key);
  }

  /** Changes a byte of the file, as a bad disk would. */
  async rotFile(key: string, offset = 0): Promise<void> {
    this.rot(key, offset);
    await this.#write(key);
  }

  async loseFile(key: string): Promise<void> {
    await this.#fs.promises.rm(this.localPath(key));
  }

  async #write(key: string): Promise<void> {
    const path = this.localPath(key);
    await this.#fs.promises.mkdir(dirname(path), { recursive: true });
    await this.#fs.promises.writeFile(path, this.objects.get(key)?.bytes ?? '');
  }
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { SnapshotCorruptError } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import type { ContentDigest, SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import { defineTask, type TaskRunner } from '../../task.js';
import type { CapturedTree, SnapshotFile } from '../../types.js';
import { fileBytes } from '../hashing/hashing.js';
import { capturedPath } from '../hashing/tree-hasher.js';
import { asStoreCall } from '../store-calls/store-bytes.js';
import { readBackUnlessVerified } from '../store-calls/verified-put.js';
import type { PackedPlace } from './places.js';

/** A file that goes into a pack. */
interface PackMember extends SnapshotFile {
  /** Absolute path of its captured copy. */
  readonly source: string;
}

/** The digest of a pack with these files; each is compared with its SHA-256 once more. */
export const digestPackTask = defineTask<
  { readonly members: readonly PackMember[] },
  Required<ContentDigest>
>('snapshot:digest-pack', async ({ members }, { fs, signal }) => {
  const sha256 = createHash('sha256');
  const md5 = createHash('md5');
  for (const { source, path, size, sha256: expected } of members) {
    const own = createHash('sha256');
    let bytes = 0;
    for await (const chunk of fileBytes(fs, source, signal)) {
      for (const hash of [sha256, md5, own]) hash.update(chunk);
      bytes += chunk.length;
    }
    if (bytes !== size || own.digest('hex') !== expected) {
      throw new SnapshotCorruptError(`${path} changed while the snapshot was taken`, { retryable: true });
    }
  }
  return { sha256: sha256.digest('hex'), md5: md5.digest('hex') };
});

export interface PackTarget {
  readonly store: SessionStore;
  readonly fs: FileSystem;
  readonly runner: TaskRunner;
  readonly keyOf: (pack: string) => string;
}

/** A pack whose stored bytes were compared with their digest. */
export interface StoredPack {
  readonly name: string;
  readonly size: number;
  readonly version: string;
  /** Where each content lies, by SHA-256. */
  readonly places: ReadonlyMap<string, PackedPlace>;
}

/**
 * Puts captured files as one object, one behind the other. Its name is the SHA-256 of its bytes: the same files give the
 * same object, so that an attempt that is repeated leaves nothing behind.
 *
 * @throws SnapshotCorruptError (retryable) if a file changed, or the store did not keep the bytes
 */
export async function putPack(
  { store, fs, runner, keyOf }: PackTarget,
  tree: CapturedTree,
  files: readonly SnapshotFile[],
  options: StoreCallOptions,
): Promise<StoredPack> {
  const members = files.map((file) => ({ ...file, source: capturedPath(tree, file.path) }));
  const digest = await runner.run(digestPackTask, { members }, options);
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const key = keyOf(digest.sha256);
  const put = await asStoreCall(store, `write ${key}`, async () => {
    const body = Readable.from(bytesOf(fs, members), { objectMode: false });
    // Its errors reach the store's put; without a listener, a late one would end the bot's process.
    body.on('error', () => undefined);
    try {
      return await store.put(key, body, { ...options, size, digest });
    } finally {
      body.destroy();
    }
  });
  const { version } = await readBackUnlessVerified(store, put, digest, options);
  const places = new Map<string, PackedPlace>();
  let at = 0;
  for (const file of files) {
    places.set(file.sha256, [{ pack: digest.sha256, packSize: size, at, length: file.size }]);
    at += file.size;
  }
  return { name: digest.sha256, size, version, places };
}

/** A file system's own stream, because its pieces stay valid while the store holds several of them. */
async function* bytesOf(fs: FileSystem, members: readonly PackMember[]): AsyncGenerator<Uint8Array> {
  for (const { source } of members) yield* fs.createReadStream(source) as AsyncIterable<Uint8Array>;
}

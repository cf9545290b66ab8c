import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { SnapshotCorruptError } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import type { ContentDigest, SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import { defineTask, type TaskRunner } from '../../task.js';
import type { CapturedTree } from '../../types.js';
import { fileBytes } from '../hashing/hashing.js';
import { capturedPath } from '../hashing/tree-hasher.js';
import { asStoreCall } from '../store-calls/store-bytes.js';
import { readBackUnlessVerified } from '../store-calls/verified-put.js';
import { type NewContent, newBytesOf } from './pack-plan.js';
import type { PackedPlace } from './places.js';

/** A file whose new bytes go into a pack. */
interface PackMember extends NewContent {
  /** Absolute path of its captured copy. */
  readonly source: string;
}

/** The digest of a pack with the new bytes of these files; each is compared with its SHA-256 once more, as a whole. */
export const digestPackTask = defineTask<{ readonly members: readonly PackMember[] }, ContentDigest>(
  'snapshot:digest-pack',
  async ({ members }, { fs, signal }) => {
    const sha256 = createHash('sha256');
    const md5 = md5IfOffered();
    for (const { source, path, size, sha256: expected, from = 0 } of members) {
      const own = createHash('sha256');
      let bytes = 0;
      for await (const chunk of fileBytes(fs, source, signal)) {
        own.update(chunk);
        const fresh = chunk.subarray(Math.max(0, from - bytes));
        sha256.update(fresh);
        md5?.update(fresh);
        bytes += chunk.length;
      }
      if (bytes !== size || own.digest('hex') !== expected) {
        throw new SnapshotCorruptError(`${path} changed while the snapshot was taken`, { retryable: true });
      }
    }
    return { sha256: sha256.digest('hex'), ...(md5 && { md5: md5.digest('hex') }) };
  },
);

/** For servers that compare nothing else. A system in FIPS mode has no MD5. */
export function md5IfOffered(): Hash | undefined {
  try {
    return createHash('md5');
  } catch {
    return undefined;
  }
}

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
 * Puts what is new of captured files as one object, one behind the other. Its name is the SHA-256 of its bytes: the same files give the
 * same object, so that an attempt that is repeated leaves nothing behind.
 *
 * @throws SnapshotCorruptError (retryable) if a file changed, or the store did not keep the bytes
 */
export async function putPack(
  { store, fs, runner, keyOf }: PackTarget,
  tree: CapturedTree,
  files: readonly NewContent[],
  options: StoreCallOptions,
): Promise<StoredPack> {
  const members = files.map((file) => ({ ...file, source: capturedPath(tree, file.path) }));
  const digest = await runner.run(digestPackTask, { members }, options);
  const size = files.reduce((sum, file) => sum + newBytesOf(file), 0);
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
    const length = newBytesOf(file);
    places.set(file.sha256, [...(file.kept ?? []), { pack: digest.sha256, packSize: size, at, length }]);
    at += length;
  }
  return { name: digest.sha256, size, version, places };
}

/** A file system's own stream, because its pieces stay valid while the store holds several of them. */
async function* bytesOf(fs: FileSystem, members: readonly PackMember[]): AsyncGenerator<Uint8Array> {
  for (const { source, from = 0 } of members) {
    yield* fs.createReadStream(source, { start: from }) as AsyncIterable<Uint8Array>;
  }
}

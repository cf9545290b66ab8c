import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { SnapshotCorruptError } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import { logHashesOf } from '../../profile/follow/log-hashes.js';
import { fileIdentityOf } from '../../profile/leveldb/file-identity.js';
import type { ContentDigest, StoreCallOptions } from '../../stores/session-store.js';
import { defineTask } from '../../task.js';
import { fileBytes } from '../hashing/hashing.js';
import { md5IfOffered, type PackTarget } from '../packs/put-pack.js';
import { asStoreCall } from '../store-calls/store-bytes.js';
import { readBackUnlessVerified } from '../store-calls/verified-put.js';
import { newBytesOf, type PlacedEntry, type TailMember } from './tail-plan.js';

/** Thrown for a file that does not begin as it was stored: it is another file. */
export class NotGrownError extends Error {
  override readonly name = 'NotGrownError';
}

type Digested = Pick<TailMember, 'path' | 'source' | 'size' | 'start' | 'sha256' | 'older'>;

/**
 * The digest of the pack with the new bytes of these files, and the SHA-256 of each file; `undefined` for another file. Of a
 * log whose beginning this thread has just read, only the new bytes are read.
 */
export const digestTailTask = defineTask<
  { readonly members: readonly Digested[] },
  { readonly pack: ContentDigest; readonly files: readonly (string | undefined)[] }
>('snapshot:digest-tail', async ({ members }, { fs, signal }) => {
  const pack = createHash('sha256');
  const md5 = md5IfOffered();
  const files: (string | undefined)[] = [];
  const hashes = logHashesOf(fs);
  for (const { path, source, size, start, sha256, older } of members) {
    const file = fileIdentityOf(await fs.promises.lstat(source, { bigint: true }));
    const beginning = sha256 === undefined ? undefined : hashes.at(source, file, start);
    const whole = beginning ?? createHash('sha256');
    let bytes = beginning === undefined ? 0 : start;
    let isGrown = true;
    const compare = () => {
      if (bytes !== older?.size) return;
      isGrown = whole.copy().digest('hex') === older.sha256;
      // The next ticks may put the bytes from here on again, because they are few.
      if (isGrown && sha256 !== undefined) hashes.note(source, file, bytes, whole);
    };
    const add = (chunk: Uint8Array) => {
      whole.update(chunk);
      bytes += chunk.length;
      compare();
    };
    compare();
    for await (const chunk of fileBytes(fs, source, signal, bytes)) {
      const wanted = chunk.subarray(0, size - bytes);
      const fresh = wanted.subarray(Math.max(0, start - bytes));
      pack.update(fresh);
      md5?.update(fresh);
      const border = older === undefined ? 0 : Math.max(0, older.size - bytes);
      if (border > 0) add(wanted.subarray(0, border));
      if (wanted.length > border) add(wanted.subarray(border));
      if (bytes === size) break;
    }
    const found = whole.digest('hex');
    if (bytes !== size || (sha256 !== undefined && sha256 !== found)) {
      hashes.forget(source);
      throw new SnapshotCorruptError(`${path} changed while it was read`, { retryable: true });
    }
    files.push(isGrown ? found : undefined);
  }
  return { pack: { sha256: pack.digest('hex'), ...(md5 && { md5: md5.digest('hex') }) }, files };
});

/**
 * Puts the new bytes of these files as one pack, named by its SHA-256 as all packs are.
 *
 * @throws NotGrownError; SnapshotCorruptError (retryable) if a file changed, or the store did not keep the bytes
 */
export async function putTailPack(
  { store, fs, runner, keyOf }: PackTarget,
  members: readonly TailMember[],
  options: StoreCallOptions,
): Promise<readonly PlacedEntry[]> {
  const asked = members.map(({ path, source, size, start, sha256, older }) => ({
    path,
    source,
    size,
    start,
    ...(sha256 !== undefined && { sha256 }),
    ...(older !== undefined && { older }),
  }));
  const { pack: digest, files } = await runner.run(digestTailTask, { members: asked }, options);
  const other = members[files.indexOf(undefined)];
  if (other !== undefined) throw new NotGrownError(`${other.path} does not begin as it was stored`);
  const packSize = newBytesOf(members);
  const key = keyOf(digest.sha256);
  const put = await asStoreCall(store, `write ${key}`, async () => {
    const body = Readable.from(bytesOf(fs, members), { objectMode: false });
    // Its errors reach the store's put; without a listener, a late one would end the bot's process.
    body.on('error', () => undefined);
    try {
      return await store.put(key, body, { ...options, size: packSize, digest });
    } finally {
      body.destroy();
    }
  });
  await readBackUnlessVerified(store, put, digest, options);
  let at = 0;
  return members.map(({ path, size, from, start, kept }, index) => {
    const length = size - start;
    const added = length === 0 ? [] : [{ pack: digest.sha256, packSize, at, length }];
    at += length;
    return { path, size, sha256: files[index] ?? '', from, place: [...kept, ...added] };
  });
}

/** A file system's own stream, because its pieces stay valid while the store holds several of them. */
async function* bytesOf(fs: FileSystem, members: readonly TailMember[]): AsyncGenerator<Uint8Array> {
  for (const { source, start, size } of members) {
    if (size > start)
      yield* fs.createReadStream(source, { start, end: size - 1 }) as AsyncIterable<Uint8Array>;
  }
}

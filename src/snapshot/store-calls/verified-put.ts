import { createHash } from 'node:crypto';
import { SnapshotCorruptError } from '../../errors.js';
import type {
  ContentDigest,
  PutOptions,
  PutResult,
  SessionStore,
  StoreCallOptions,
} from '../../stores/session-store.js';
import { objectBytes, putBytes, withdrawObject } from './store-bytes.js';

/** The answer of a put whose stored bytes were compared with their digest, by the store or by us. */
export type VerifiedPut = PutResult & { readonly verifiedBy: NonNullable<PutResult['verifiedBy']> };

/**
 * Puts bytes in memory, and resolves only when the store is known to have them. A store that compares the digest is
 * believed; from any other the object is read back.
 *
 * @throws SnapshotCorruptError (retryable) if the store did not keep the bytes; the object is then deleted
 */
export async function putVerified(
  store: SessionStore,
  key: string,
  bytes: Uint8Array,
  options: PutOptions = {},
): Promise<VerifiedPut> {
  const digest = options.digest ?? { sha256: createHash('sha256').update(bytes).digest('hex') };
  return readBackUnlessVerified(
    store,
    await putBytes(store, key, bytes, { ...options, digest }),
    digest,
    options,
  );
}

/**
 * Compares what was put with its digest, unless the store has done it.
 *
 * @param put the answer of the put
 * @throws SnapshotCorruptError (retryable) if the store did not keep the bytes; the object is then deleted
 */
export async function readBackUnlessVerified(
  store: SessionStore,
  put: PutResult,
  digest: ContentDigest,
  { signal }: StoreCallOptions = {},
): Promise<VerifiedPut> {
  const { key, size, version, verifiedBy } = put;
  if (verifiedBy !== undefined) return { ...put, verifiedBy };
  const options = { ...(signal !== undefined && { signal }) };
  const hash = createHash('sha256');
  let received = 0;
  for await (const chunk of objectBytes(store, key, key, { ...options, ifVersion: version })) {
    hash.update(chunk);
    received += chunk.length;
  }
  if (received === size && hash.digest('hex') === digest.sha256) return { ...put, verifiedBy: 'readback' };
  // Only our own value is taken away, where the store can tell it from a later one.
  const own = store.capabilities.conditionalDelete === true ? { ifVersion: version } : {};
  await withdrawObject(store, key, { ...options, ...own });
  throw new SnapshotCorruptError(`${store.name} did not keep ${key} as it was written`, { retryable: true });
}

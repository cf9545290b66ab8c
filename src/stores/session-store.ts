import type { Readable } from 'node:stream';
import type { StoreError } from '../errors.js';

/** What a store knows about one object. */
export interface ObjectInfo {
  readonly key: string;
  /** Size of the whole object in bytes, also in the answer to a `get` of a part. */
  readonly size: number;
  /**
   * An opaque text that changes whenever the object's value changes, and never comes back with other bytes. The same
   * bytes may get the same version again (S3's ETag), so what must differ every time, such as a lease, holds a nonce.
   */
  readonly version: string;
  /**
   * When the value was put, by the clock of the store. The same in every answer: a store whose calls differ in precision
   * rounds down to the coarsest.
   */
  readonly modifiedAt: Date;
}

/** The answer of a `put`: what was stored. */
export interface PutResult extends Omit<ObjectInfo, 'modifiedAt'> {
  /** Absent if the server does not tell it in its answer; a store need not ask again for it. */
  readonly modifiedAt?: Date;
  /**
   * Who has compared the stored bytes with {@link PutOptions.digest}, and would have refused others:
   * - `server`: the server, before it made the value visible;
   * - `readback`: the store, which read back what it had written.
   *
   * Absent if nobody has, also because the caller gave no digest. The caller then reads the object back where it must
   * be sure. A store that ignores digests leaves this out.
   */
  readonly verifiedBy?: 'server' | 'readback';
}

/** A part of an object. */
export interface ByteRange {
  /** First byte, counted from 0. */
  readonly offset: number;
  /** Number of bytes; fewer come where the object ends earlier, none where `offset` is at its end or beyond. */
  readonly length: number;
}

/** An object with its bytes. The caller must read `body` to its end or destroy it. */
export interface StoredObject {
  readonly info: ObjectInfo;
  readonly body: Readable;
  /**
   * The part that `body` holds: the range of the call, unchanged. Absent if `body` is the whole object, because no range
   * was asked for or because the store ignores ranges; the library then cuts the part out of the stream by itself.
   */
  readonly range?: ByteRange;
}

/** The digest of the bytes of a `put`, as far as the caller knows it. */
export interface ContentDigest {
  /** SHA-256 of all bytes, 64 lower-case hex digits. */
  readonly sha256: string;
  /** MD5 of all bytes, 32 lower-case hex digits, for servers that compare only this one (S3's `Content-MD5`). */
  readonly md5?: string;
}

/**
 * The right to write, numbered: of several owners, each successor has a higher generation.
 *
 * @example
 * { name: 'shop', generation: 7 }
 */
export interface Fence {
  /** What is owned, for example the name of a lease. Each name has generations of its own. */
  readonly name: string;
  /** An integer from 1 on. */
  readonly generation: number;
  /** Whether the put begins this generation, so that it is refused also where the generation was used before. Default false. */
  readonly isNew?: boolean;
}

export interface StoreCallOptions {
  /** Aborts the call, which rejects with the signal's own reason; the store stays unchanged. */
  readonly signal?: AbortSignal;
}

export interface PutOptions extends StoreCallOptions {
  /** Number of bytes of a stream, if known. A body of another length is refused with a `StoreError`. */
  readonly size?: number;
  /**
   * The digest of the bytes, if known before. A store that compares it says so by {@link PutResult.verifiedBy}, and
   * refuses other bytes with a retryable `StoreError`: nothing is stored. Default: nothing is compared.
   */
  readonly digest?: ContentDigest;
  /** Puts only if no object has this key; otherwise throws `StoreConflictError`. Default false. */
  readonly ifAbsent?: boolean;
  /** Puts only if the current version is this one; otherwise throws `StoreConflictError`. Default: any, or none. */
  readonly ifVersion?: string;
  /**
   * Puts only if no higher generation of this fence was ever used in a put, nor this one where it
   * {@link Fence.isNew is new}; otherwise throws `LeaseLostError`. The check
   * and the write are one step, so a writer that was paused between them can't overwrite its successor. A put that
   * succeeds makes its generation known. Only with the capability `fencedPut`, else refused with a `StoreError`.
   */
  readonly fence?: Fence;
}

export interface GetOptions extends StoreCallOptions {
  /**
   * Only this part of the object. A store that gives the part repeats the range in its answer, see
   * {@link StoredObject.range}. A range that is not made of integers from 0 on is refused with a `StoreError`; an empty one,
   * or one behind the end, is an empty body, also where the server refuses it (S3's 416).
   * Default: the whole object.
   *
   * @example
   * await store.get('shop/packs/1', { range: { offset: 0, length: 4096 }, ifVersion: info.version });
   */
  readonly range?: ByteRange;
  /**
   * Reads only this version: an object with another one throws `StoreConflictError`, a missing one is still `undefined`.
   * For reading one value in several parts. Default: any version.
   */
  readonly ifVersion?: string;
}

export interface DeleteOptions extends StoreCallOptions {
  /**
   * Deletes only this version: an object with another one throws `StoreConflictError`, a missing one is still `false`.
   * Only with the capability `conditionalDelete`, else refused with a `StoreError`. Default: any version.
   */
  readonly ifVersion?: string;
}

/** What became of one key of a `deleteMany`. */
export interface DeleteResult {
  readonly key: string;
  /** Why the object may still be there. Absent if it is gone, also if it never was there. */
  readonly error?: StoreError;
}

/**
 * What a store can do beyond the plain calls. What is absent is not offered, and refused where it matters. It is read before
 * each use, so a store may declare a capability and set it to false when its server refuses the first call that uses it.
 */
export interface StoreCapabilities {
  /** Whether `ifAbsent` and `ifVersion` of `put` also hold between processes; if `false`, both are refused. */
  readonly conditionalPut: boolean;
  /** Whether `ifVersion` of `delete` also holds between processes. Default false: it is refused. */
  readonly conditionalDelete?: boolean;
  /** Whether `fence` of `put` holds, whatever pauses the writer. Default false: it is refused. */
  readonly fencedPut?: boolean;
  /** Whether the store has {@link SessionStore.serverTime}. Default false. */
  readonly serverTime?: boolean;
  /** Largest object that the store accepts, in bytes. Default: no limit. */
  readonly maxObjectBytes?: number;
}

/**
 * Stores the bytes of a session. Implement this interface to plug in a store of your own: `name`, `capabilities` and the
 * five calls are enough.
 *
 * The contract, which the conformance suite of `wwebjs-persistent-session/testing` checks:
 * - a missing object is `undefined`, and a fault throws `StoreError`, so a store that is down never looks like a
 *   missing session;
 * - an object is never partly visible; a failed or aborted `put` leaves the old value;
 * - `delete` is idempotent (`false` when there was nothing);
 * - keys are portable (`assertPortableKey`) and cannot leave the store's root;
 * - what `capabilities` declares holds between processes; conditions of a `put` that are not declared are refused.
 */
export interface SessionStore {
  /**
   * Short name for messages and listings, for example `file-system`. If two stores have the same name, the second one
   * is listed as `<name>-2`.
   */
  readonly name: string;
  readonly capabilities: StoreCapabilities;
  put(key: string, body: Uint8Array | Readable, options?: PutOptions): Promise<PutResult>;
  get(key: string, options?: GetOptions): Promise<StoredObject | undefined>;
  head(key: string, options?: StoreCallOptions): Promise<ObjectInfo | undefined>;
  /** Lists every object whose key starts with `prefix`, in any order. Objects deleted meanwhile may be missing. */
  list(prefix: string, options?: StoreCallOptions): AsyncIterable<ObjectInfo>;
  /**
   * Whether there was something to delete. Where the server does not tell, two deletes at once may both say so; with the
   * capability `conditionalDelete` exactly one does.
   */
  delete(key: string, options?: DeleteOptions): Promise<boolean>;
  /**
   * Optional: deletes up to 1,000 objects in few requests, and answers for each key, in their order. One object that
   * can't be deleted is an `error` in its result and stops no other; the call rejects only if it failed as a whole.
   * Without it the library deletes one by one.
   *
   * @example
   * const results = await store.deleteMany(['shop/packs/1', 'shop/packs/2']);
   * const left = results.filter(({ error }) => error !== undefined);
   */
  deleteMany?(keys: readonly string[], options?: StoreCallOptions): Promise<readonly DeleteResult[]>;
  /**
   * Optional, declared as a capability: the time of the server, in milliseconds since 1970, and the same clock for
   * every process that uses the store. For leases that expire although the clocks of two machines differ.
   */
  serverTime?(options?: StoreCallOptions): Promise<number>;
  close?(): Promise<void>;
  /**
   * Optional: reads the bytes from a local file, without passing them through the event loop. The file stays and is
   * never hard-linked: the store keeps a copy of its own, because the source may still be written to.
   */
  putFile?(key: string, path: string, options?: PutOptions): Promise<PutResult>;
  /** Optional: the absolute path of the plain local file that holds this object, for reading in a worker thread. */
  localPath?(key: string): string;
}

import type { Readable } from 'node:stream';

/** What a store knows about one object. */
export interface ObjectInfo {
  readonly key: string;
  /** Size in bytes. */
  readonly size: number;
  /** An opaque text that changes whenever the object's value changes. */
  readonly version: string;
  readonly modifiedAt: Date;
}

/** An object with its bytes. The caller must read `body` to its end or destroy it. */
export interface StoredObject {
  readonly info: ObjectInfo;
  readonly body: Readable;
}

export interface StoreCallOptions {
  /** Aborts the call; the store stays unchanged. */
  readonly signal?: AbortSignal;
}

export interface PutOptions extends StoreCallOptions {
  /** Number of bytes of a stream, if known. A body of another length is refused with a `StoreError`. */
  readonly size?: number;
  /** Puts only if no object has this key; otherwise throws `StoreConflictError`. */
  readonly ifAbsent?: boolean;
  /** Puts only if the current version is this one; otherwise throws `StoreConflictError`. */
  readonly ifVersion?: string;
}

/**
 * Stores the bytes of a session. Implement this interface to plug in a store of your own.
 *
 * The contract, which the conformance suite of `wwebjs-persistent-session/testing` checks:
 * - a missing object is `undefined`, and a fault throws `StoreError`, so a store that is down never looks like a
 *   missing session;
 * - an object is never partly visible; a failed or aborted `put` leaves the old value;
 * - `delete` is idempotent (`false` when there was nothing);
 * - keys are portable (`assertPortableKey`) and cannot leave the store's root.
 */
export interface SessionStore {
  /**
   * Short name for messages and listings, for example `file-system`. If two stores have the same name, the second one
   * is listed as `<name>-2`.
   */
  readonly name: string;
  readonly capabilities: {
    /** Whether `ifAbsent` and `ifVersion` also hold between processes; if `false`, both are refused. */
    readonly conditionalPut: boolean;
    /** Largest object that the store accepts, in bytes. */
    readonly maxObjectBytes?: number;
  };
  put(key: string, body: Uint8Array | Readable, options?: PutOptions): Promise<ObjectInfo>;
  get(key: string, options?: StoreCallOptions): Promise<StoredObject | undefined>;
  head(key: string, options?: StoreCallOptions): Promise<ObjectInfo | undefined>;
  /** Lists every object whose key starts with `prefix`, in any order. Objects deleted meanwhile may be missing. */
  list(prefix: string, options?: StoreCallOptions): AsyncIterable<ObjectInfo>;
  delete(key: string, options?: StoreCallOptions): Promise<boolean>;
  close?(): Promise<void>;
  /**
   * Optional: reads the bytes from a local file, without passing them through the event loop. The file stays and is
   * never hard-linked: the store keeps a copy of its own, because the source may still be written to.
   */
  putFile?(key: string, path: string, options?: PutOptions): Promise<ObjectInfo>;
  /** Optional: the absolute path of the plain local file that holds this object, for reading in a worker thread. */
  localPath?(key: string): string;
}

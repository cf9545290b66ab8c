import type { Readable } from 'node:stream';

/** What a store knows of one object. */
export interface ObjectInfo {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Changes whenever the object's value does; opaque. */
  readonly version: string;
  readonly modifiedAt: Date;
}

/** An object with its bytes. `body` must be read to its end or destroyed. */
export interface StoredObject {
  readonly info: ObjectInfo;
  readonly body: Readable;
}

export interface StoreCallOptions {
  /** Aborts the call; the store is left as it was. */
  readonly signal?: AbortSignal;
}

export interface PutOptions extends StoreCallOptions {
  /** Number of bytes of a stream, where it is known. A body of another length is refused with a `StoreError`. */
  readonly size?: number;
  /** Put only when no object has this key, else `StoreConflictError`. */
  readonly ifAbsent?: boolean;
  /** Put only over this very version, else `StoreConflictError`. */
  readonly ifVersion?: string;
}

/**
 * Where the bytes of a session live: the plug-in point of the library.
 *
 * The contract, checked by the conformance suite of `wwebjs-persistent-session/testing`:
 * - missing is `undefined`; a fault throws `StoreError`: a store that is down never looks like a missing session;
 * - an object is never partly visible; a failed or aborted `put` leaves the old value;
 * - `delete` is idempotent (`false` when there was nothing);
 * - keys are portable (`assertPortableKey`) and cannot leave the store's root.
 */
export interface SessionStore {
  /**
   * Short name for messages and listings, for example `file-system`. Of two stores with the same, the second is listed
   * as `<name>-2`.
   */
  readonly name: string;
  readonly capabilities: {
    /** Whether `ifAbsent` and `ifVersion` hold against other processes; without it both are refused. */
    readonly conditionalPut: boolean;
    /** Largest object the store takes, in bytes. */
    readonly maxObjectBytes?: number;
  };
  put(key: string, body: Uint8Array | Readable, options?: PutOptions): Promise<ObjectInfo>;
  get(key: string, options?: StoreCallOptions): Promise<StoredObject | undefined>;
  head(key: string, options?: StoreCallOptions): Promise<ObjectInfo | undefined>;
  /** Every object whose key starts with `prefix`, in any order. Objects deleted meanwhile may be missing. */
  list(prefix: string, options?: StoreCallOptions): AsyncIterable<ObjectInfo>;
  delete(key: string, options?: StoreCallOptions): Promise<boolean>;
  close?(): Promise<void>;
  /**
   * Optional: takes the bytes from a local file, without passing them through the event loop. The file stays and
   * is never hard-linked: what a store keeps is a copy of its own (the source may still be written to).
   */
  putFile?(key: string, path: string, options?: PutOptions): Promise<ObjectInfo>;
  /** Optional: the absolute path of the plain local file that holds this object, for reading in a worker thread. */
  localPath?(key: string): string;
}

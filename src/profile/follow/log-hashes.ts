import type { Hash } from 'node:crypto';
import { plainFileSystem } from '../../disk-gate/gated-file-system.js';
import type { FileSystem } from '../../file-system.js';
import { type FileIdentity, hasOnlyGrown } from '../leveldb/file-identity.js';

/** Logs of one thread that are remembered; with more, the longest known one is forgotten. */
const MOST_LOGS = 200;
/** Beginnings of one log. The shortest and the longest ones are kept: the next tick goes on at one of these. */
const MOST_BEGINNINGS = 32;

interface Beginnings {
  readonly file: FileIdentity;
  /** By rising size. */
  readonly hashes: readonly { readonly size: number; readonly hash: Hash }[];
}

/** Of this thread, by disk. */
const ofDisk = new WeakMap<object, LogHashes>();

/** Remembers SHA-256 states of the beginnings of logs, so that what was just read need not be read again for a hash. */
class LogHashes {
  readonly #logs = new Map<string, Beginnings>();

  /** To be called in any doubt. */
  forget(path: string): void {
    this.#logs.delete(path);
  }

  /** @param hash of the first `size` bytes */
  note(path: string, file: FileIdentity, size: number, hash: Hash): void {
    const known = this.#logs.get(path);
    const older = known !== undefined && hasOnlyGrown(known.file, file) ? known.hashes : [];
    const others = older.filter((one) => one.size !== size);
    const hashes = [...others, { size, hash: hash.copy() }].sort((a, b) => a.size - b.size);
    if (hashes.length > MOST_BEGINNINGS) hashes.splice(1, 1);
    this.#logs.delete(path);
    this.#logs.set(path, { file, hashes });
    const [oldest] = this.#logs.keys();
    if (this.#logs.size > MOST_LOGS && oldest !== undefined) this.#logs.delete(oldest);
  }

  /** The hash state of the first `size` bytes, if it is known and the file has only grown since. */
  at(path: string, file: FileIdentity, size: number): Hash | undefined {
    const known = this.#logs.get(path);
    if (known === undefined || !hasOnlyGrown(known.file, file)) return undefined;
    return known.hashes.find((one) => one.size === size)?.hash.copy();
  }
}

/** What this thread remembers of a disk. */
export function logHashesOf(fs: FileSystem): LogHashes {
  const { promises } = plainFileSystem(fs);
  const known = ofDisk.get(promises) ?? new LogHashes();
  ofDisk.set(promises, known);
  return known;
}

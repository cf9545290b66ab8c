import { readUint32 } from './byte-reader.js';
import { crc32c, unmaskCrc } from './crc32c.js';

/** Both `.log` files and MANIFESTs consist of blocks of this size (LevelDB, doc/log_format.md). */
export const LOG_BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
/** Far more than any batch of Chromium that we need; a longer record is checked, but not passed to the caller. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;

const FULL = 1;
const FIRST = 2;
const MIDDLE = 3;
const LAST = 4;

/**
 * How a log ends.
 * - `clean`: after a complete record
 * - `torn`: in the middle of a record; normal after a kill, and LevelDB ignores the rest
 * - `zeros`: after complete records only zeros follow, preallocated or never flushed; LevelDB ignores them too
 */
export type LogEnding = 'clean' | 'torn' | 'zeros';

/** The result of reading a log. */
export interface LogScan {
  /** Number of complete logical records. */
  readonly records: number;
  readonly ending: LogEnding;
  /** The first place that LevelDB calls corrupt. Chromium opens it with paranoid checks, and would then delete everything. */
  readonly damage: { readonly offset: number; readonly problem: string } | undefined;
}

/** Reads a log that is completely in memory. */
export function readLog(bytes: Uint8Array, onRecord?: (record: Uint8Array) => void): LogScan {
  const scanner = new LogScanner(onRecord);
  for (let start = 0; start < bytes.length; start += LOG_BLOCK_BYTES) {
    scanner.push(bytes.subarray(start, start + LOG_BLOCK_BYTES));
  }
  return scanner.finish();
}

/** Reads a log block by block like LevelDB's `log::Reader`. Never throws. */
export class LogScanner {
  readonly #onRecord: ((record: Uint8Array) => void) | undefined;
  #records = 0;
  #blockStart = 0;
  #damage: LogScan['damage'];
  #ending: LogEnding = 'clean';
  /** Fragments of the record that is not complete yet; `undefined` between records. */
  #fragments: Uint8Array[] | undefined;
  #fragmentBytes = 0;

  constructor(onRecord?: (record: Uint8Array) => void) {
    this.#onRecord = onRecord;
  }

  /** Bytes of the record that is not complete yet. */
  get openBytes(): number {
    return this.#fragmentBytes;
  }

  /** A scanner that goes on from here by itself. For incomplete records this one must have had an `onRecord`, too. */
  fork(onRecord?: (record: Uint8Array) => void): LogScanner {
    const fork = new LogScanner(onRecord);
    fork.#records = this.#records;
    fork.#blockStart = this.#blockStart;
    fork.#damage = this.#damage;
    fork.#ending = this.#ending;
    fork.#fragments = this.#fragments && [...this.#fragments];
    fork.#fragmentBytes = this.#fragmentBytes;
    return fork;
  }

  /** Reads the next block. It has {@link LOG_BLOCK_BYTES} bytes; only the last one may be shorter. */
  push(block: Uint8Array): void {
    if (this.#damage === undefined) {
      if (this.#ending === 'zeros') this.#expectZeros(block, 0);
      else this.#readBlock(block);
    }
    this.#blockStart += block.length;
  }

  finish(): LogScan {
    const torn = this.#ending === 'clean' && this.#fragments !== undefined;
    return { records: this.#records, ending: torn ? 'torn' : this.#ending, damage: this.#damage };
  }

  #readBlock(block: Uint8Array): void {
    let at = 0;
    while (at + HEADER_BYTES <= block.length) {
      const length = (block[at + 4] ?? 0) | ((block[at + 5] ?? 0) << 8);
      const type = block[at + 6] ?? 0;
      if (type === 0 && length === 0) {
        if (this.#fragmentBytes > 0) return this.#damaged(at, 'a record stops in the middle, zeros follow');
        this.#ending = 'zeros';
        return this.#expectZeros(block, at);
      }
      const end = at + HEADER_BYTES + length;
      if (end > LOG_BLOCK_BYTES) return this.#damaged(at, 'a record is longer than its block');
      if (end > block.length) {
        // Only the last block can be short: the writer was killed in the middle of this record.
        this.#ending = 'torn';
        return;
      }
      if (crc32c(block.subarray(at + 6, end)) !== unmaskCrc(readUint32(block, at))) {
        return this.#damaged(at, 'the checksum of a record is wrong');
      }
      if (!this.#accept(type, block.subarray(at + HEADER_BYTES, end), at)) return;
      at = end;
    }
    const isLastBlock = block.length < LOG_BLOCK_BYTES;
    if (isLastBlock && at < block.length) this.#ending = 'torn';
  }

  #accept(type: number, fragment: Uint8Array, at: number): boolean {
    if (type === FULL || type === FIRST) {
      // Early versions of LevelDB could write an empty first fragment at the end of a block (LevelDB, log_reader.cc).
      if (this.#fragmentBytes > 0) return this.#refuse(at, 'a record has no end');
      this.#fragments = undefined;
      if (type === FULL) this.#complete([fragment], fragment.length);
      else this.#append(fragment);
      return true;
    }
    if (type !== MIDDLE && type !== LAST) return this.#refuse(at, 'a record is of an unknown type');
    if (this.#fragments === undefined) return this.#refuse(at, 'a record has no beginning');
    this.#append(fragment);
    if (type === LAST) this.#complete(this.#fragments, this.#fragmentBytes);
    return true;
  }

  #append(fragment: Uint8Array): void {
    this.#fragments ??= [];
    this.#fragmentBytes += fragment.length;
    // The fragment is copied, because the caller may reuse the block. The slice() of a Buffer would not copy.
    const wanted = this.#onRecord !== undefined && this.#fragmentBytes <= MAX_RECORD_BYTES;
    if (wanted) this.#fragments.push(new Uint8Array(fragment));
  }

  #complete(fragments: readonly Uint8Array[], bytes: number): void {
    this.#records++;
    if (bytes <= MAX_RECORD_BYTES) this.#onRecord?.(joined(fragments, bytes));
    this.#fragments = undefined;
    this.#fragmentBytes = 0;
  }

  #expectZeros(block: Uint8Array, from: number): void {
    const other = block.findIndex((byte, index) => index >= from && byte !== 0);
    if (other !== -1) this.#damaged(from, 'a part in the middle is zeroed');
  }

  #refuse(at: number, problem: string): false {
    this.#damaged(at, problem);
    return false;
  }

  #damaged(at: number, problem: string): void {
    this.#damage = { offset: this.#blockStart + at, problem };
  }
}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

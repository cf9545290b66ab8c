import { ByteReader } from './byte-reader.js';
import { DamageError } from './damage.js';

/** Length of the header: a sequence number and the number of changes (LevelDB, db/write_batch.cc). */
const HEADER_BYTES = 12;

const DELETED = 0;
const PUT = 1;

/** One change of a database. */
export interface Change {
  readonly sequence: number;
  readonly key: Uint8Array;
  /** `undefined`: the key was deleted. */
  readonly value: Uint8Array | undefined;
}

/** A range of sequence numbers: from `first` up to, but not including, `end`. */
export interface SequenceSpan {
  readonly first: number;
  readonly end: number;
}

/** The sequence numbers of the changes in a log record (a write batch); `undefined` when it is too short to be a batch. */
export function spanOfBatch(record: Uint8Array): SequenceSpan | undefined {
  if (record.length < HEADER_BYTES) return undefined;
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  // LevelDB uses 56 bits. A number with more than 53 bits can only be damage, so it need not be exact.
  const first = Number(view.getBigUint64(0, true));
  return { first, end: first + view.getUint32(8, true) };
}

/** The changes in a log record (a write batch), in order. Throws {@link DamageError} when its format is not known. */
export function* changesOf(record: Uint8Array): Generator<Change> {
  const { first: sequence = 0 } = spanOfBatch(record) ?? {};
  const reader = new ByteReader(record);
  reader.take(HEADER_BYTES);
  for (let done = 0; !reader.done; done++) {
    const kind = reader.byte();
    if (kind !== PUT && kind !== DELETED) throw new DamageError('a change is of an unknown kind');
    const key = reader.lengthPrefixed();
    yield { sequence: sequence + done, key, value: kind === PUT ? reader.lengthPrefixed() : undefined };
  }
}

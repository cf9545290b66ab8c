/** Sequence number and number of changes (LevelDB, db/write_batch.cc). */
const HEADER_BYTES = 12;

/** The sequence numbers of changes: from `first` up to, but not including, `end`. */
export interface SequenceSpan {
  readonly first: number;
  readonly end: number;
}

/** The numbers that a log record (a write batch) gives its changes; `undefined` when it is too short to be one. */
export function spanOfBatch(record: Uint8Array): SequenceSpan | undefined {
  if (record.length < HEADER_BYTES) return undefined;
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  // 56 bits are in use; beyond 53 a number is damage, and as good for a comparison as any.
  const first = Number(view.getBigUint64(0, true));
  return { first, end: first + view.getUint32(8, true) };
}

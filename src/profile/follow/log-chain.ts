import { createHash, type Hash } from 'node:crypto';
import type { FileSystem } from '../../file-system.js';
import { ESSENTIAL_PATHS } from '../essential-files.js';
import { DamageError } from '../leveldb/damage.js';
import { type LogReader, readGrowingLog } from '../leveldb/growing-log.js';
import { scanLog } from '../leveldb/log-file.js';
import type { LogScan } from '../leveldb/log-reader.js';
import { changesOf, type SequenceSpan, spanOfBatch } from '../leveldb/write-batch.js';
import { blobsNamedBy, isBlobEntry } from '../soundness/indexed-db-keys.js';
import { NewBaseNeeded, type SoundLog } from './kept-base.js';
import { logHashesOf } from './log-hashes.js';

/**
 * Proves that logs are the unbroken continuation of a base. LevelDB numbers every change of a database without a gap, while
 * the numbers of the logs have gaps. Chromium reports no error when a log is missing: it replays the rest, and deleted
 * records reappear (docs/chromium-facts.md F6.4). So the first log must begin at or before the number after the
 * base's last, and every record exactly where the one before it ends.
 */
export class LogChain {
  #expected: number | undefined;
  readonly #lastSequence: number;

  /** @param lastSequence the last sequence number in the base's MANIFEST */
  constructor(lastSequence: number) {
    this.#lastSequence = lastSequence;
  }

  /** The sequence number after the last change. */
  get end(): number {
    return Math.max(this.#expected ?? 0, this.#lastSequence + 1);
  }

  /** Whether the last log reaches the base's last number at least; its own end may be older where logs were flushed. */
  get reachesBase(): boolean {
    return this.#expected === undefined || this.#expected > this.#lastSequence;
  }

  /**
   * Adds a log that was read before.
   *
   * @throws NewBaseNeeded when it does not go on where the last one ends
   */
  add(name: string, span: SequenceSpan | undefined): void {
    if (span === undefined) return;
    if (this.#expected === undefined ? span.first > this.#lastSequence + 1 : span.first !== this.#expected) {
      throw new NewBaseNeeded(`${name} begins at change ${span.first}: the changes before it are missing`);
    }
    this.#expected = span.end;
  }
}

/** What is noted of a log while it is read. */
interface Notes {
  readonly hash: Hash;
  readonly blobs: Map<string, number>;
  size: number;
  /** Number of records whose changes are numbered. */
  numbered: number;
  span: SequenceSpan | undefined;
  hasGap: boolean;
}

const NOTING: LogReader<Notes> = {
  name: 'follow',
  begin: () => ({
    hash: createHash('sha256'),
    blobs: new Map(),
    size: 0,
    numbered: 0,
    span: undefined,
    hasGap: false,
  }),
  copy: (notes) => ({ ...notes, hash: notes.hash.copy(), blobs: new Map(notes.blobs) }),
  onRecord: noteRecord,
  onBytes: noteBytes,
};

function noteRecord(notes: Notes, record: Uint8Array): void {
  noteBlobs(record, notes.blobs);
  const batch = spanOfBatch(record);
  if (batch === undefined) return;
  notes.numbered++;
  notes.hasGap ||= notes.span !== undefined && batch.first !== notes.span.end;
  notes.span = { first: notes.span?.first ?? batch.first, end: batch.end };
}

function noteBytes(notes: Notes, bytes: Uint8Array): void {
  notes.size += bytes.length;
  notes.hash.update(bytes);
}

/**
 * Reads a log and its SHA-256.
 *
 * @param isComplete whether LevelDB has ended it; then its end must not be cut off
 * @throws NewBaseNeeded when it is damaged, or its changes are not numbered without a gap; system errors
 */
export async function readSoundLog(
  fs: FileSystem,
  path: string,
  { isComplete, signal }: { readonly isComplete: boolean; readonly signal?: AbortSignal | undefined },
): Promise<SoundLog> {
  const notes = NOTING.begin();
  const onRecord = (record: Uint8Array) => noteRecord(notes, record);
  const onBytes = (bytes: Uint8Array) => noteBytes(notes, bytes);
  return soundLog(path, await scanLog(fs, path, { onRecord, onBytes, signal }), notes, isComplete);
}

/**
 * Like {@link readSoundLog} for the log that is still written, but reads only what it has gained since this thread last read
 * it. For ticks: a save reads everything.
 */
export async function readGrownLog(
  fs: FileSystem,
  path: string,
  signal: AbortSignal | undefined,
): Promise<SoundLog> {
  const reading = await readGrowingLog(fs, path, NOTING, signal);
  const hashes = logHashesOf(fs);
  if (reading?.isContinued !== true) hashes.forget(path);
  const notes = reading?.state ?? NOTING.begin();
  const log = soundLog(path, reading?.scan, notes, false);
  if (reading?.file !== undefined) hashes.note(path, reading.file, log.size, notes.hash);
  return log;
}

function soundLog(path: string, scan: LogScan | undefined, notes: Notes, isComplete: boolean): SoundLog {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const { size, numbered, span, hasGap, blobs, hash } = notes;
  if (scan === undefined) throw new NewBaseNeeded(`${name} is gone`);
  if (scan.damage !== undefined) throw new NewBaseNeeded(`${name} is damaged: ${scan.damage.problem}`);
  if (scan.ending === 'zeros' || (isComplete && scan.ending !== 'clean')) {
    throw new NewBaseNeeded(`the end of ${name} is cut off`);
  }
  if (hasGap) throw new NewBaseNeeded(`${name} lacks changes in its middle`);
  if (numbered !== scan.records) throw new NewBaseNeeded(`a record of ${name} can't be read`);
  return {
    size,
    sha256: hash.copy().digest('hex'),
    records: scan.records,
    ...(span !== undefined && { span }),
    ...(blobs.size > 0 && { blobs }),
  };
}

/** Notes the blobs that a record names. Those that this reader can't read are passed over, as a capture does. */
function noteBlobs(record: Uint8Array, blobs: Map<string, number>): void {
  try {
    for (const { key, value } of changesOf(record)) {
      if (value === undefined || !isBlobEntry(key)) continue;
      for (const { name, size } of blobsNamedBy(key, value)) {
        blobs.set(`${ESSENTIAL_PATHS.indexedDbBlobs}/${name}`, size);
      }
    }
  } catch (error) {
    if (!(error instanceof DamageError)) throw error;
  }
}

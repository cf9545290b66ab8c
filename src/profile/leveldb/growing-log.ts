import { createHash } from 'node:crypto';
import { plainFileSystem } from '../../disk-gate/gated-file-system.js';
import type { FileSystem } from '../../file-system.js';
import { isMissing, throwIfAborted } from '../walk.js';
import { DamageError } from './damage.js';
import { type FileIdentity, fileIdentityOf, hasOnlyGrown } from './file-identity.js';
import { PIECE_BYTES } from './log-file.js';
import { LOG_BLOCK_BYTES, type LogScan, LogScanner } from './log-reader.js';
import { type OpenFile, readAtOf } from './read-at.js';

/** Logs of one thread that are remembered; with more, the longest known one is forgotten. */
const MOST_LOGS = 400;
/** After so many readings a log is read from its beginning again, so that damage to what was read is found as well. */
const MOST_CONTINUED = 40;
/** Nothing is remembered amidst a record that is longer than this. */
const MOST_OPEN_BYTES = 1024 * 1024;

/** What is looked for in a log. */
export interface LogReader<State> {
  /** Readers of one name look for the same. */
  readonly name: string;
  begin(): State;
  /** A copy that stays as it is when the original goes on. */
  copy(state: State): State;
  /** Called with every complete record; it is only valid during the call. */
  readonly onRecord?: ((state: State, record: Uint8Array) => void) | undefined;
  /** Called with all bytes of the file, in order; they are only valid during the call. */
  readonly onBytes?: ((state: State, bytes: Uint8Array) => void) | undefined;
}

export interface LogReading<State> {
  readonly scan: LogScan;
  readonly state: State;
  /** The file as it was read; `undefined` when it became shorter meanwhile. */
  readonly file: FileIdentity | undefined;
  /** Whether it went on where an earlier reading ended. */
  readonly isContinued: boolean;
}

/** A reading, and all that is needed to go on at the border before the last block, which may have been incomplete. */
interface Kept {
  readonly reading: LogReading<unknown> & { readonly file: FileIdentity };
  readonly border: Border;
  readonly timesContinued: number;
}

interface Border {
  readonly at: number;
  readonly scanner: LogScanner;
  readonly state: unknown;
  /** Of the bytes from here to the end of the file. */
  readonly sha256: string;
}

/** Of this thread, by disk; then by reader and path. */
const ofDisk = new WeakMap<object, Map<string, Kept>>();

/**
 * Reads a log that grows: only what was added since this thread read it last. For readings every few seconds; what a snapshot
 * is verified with reads everything. In doubt whether it is the same file, and has only grown, it is read from its beginning:
 * inode, birth time, size, the time of the last change and the bytes of the last block tell.
 *
 * @returns `undefined` when the log does not exist (any more)
 */
export async function readGrowingLog<State>(
  fs: FileSystem,
  path: string,
  reader: LogReader<State>,
  signal?: AbortSignal,
): Promise<LogReading<State> | undefined> {
  const logs = logsOf(fs);
  const key = `${reader.name} ${path}`;
  const kept = logs.get(key);
  logs.delete(key); // until this reading has succeeded
  let open: OpenFile;
  try {
    open = await readAtOf(fs, path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    const found = (kept && (await goOn(open, reader, kept, signal))) ?? (await read(open, reader, signal));
    if (found.kept !== undefined) remember(logs, key, found.kept);
    return { ...found.reading, state: reader.copy(found.reading.state) };
  } catch (error) {
    if (!(error instanceof DamageError)) throw error;
    const damage = { offset: 0, problem: error.message };
    const scan: LogScan = { records: 0, ending: 'clean', damage };
    return { scan, state: reader.begin(), file: undefined, isContinued: false };
  } finally {
    await open.close();
  }
}

interface Found<State> {
  readonly reading: LogReading<State>;
  /** Absent where the next reading must begin anew. */
  readonly kept?: Kept | undefined;
}

/** `undefined` when the log must be read from its beginning. */
async function goOn<State>(
  open: OpenFile,
  reader: LogReader<State>,
  kept: Kept,
  signal: AbortSignal | undefined,
): Promise<Found<State> | undefined> {
  const now = fileIdentityOf(open.stats);
  const { reading, border, timesContinued } = kept;
  if (timesContinued >= MOST_CONTINUED || !hasOnlyGrown(reading.file, now)) return undefined;
  if (now.size === reading.file.size) {
    const same = { ...(reading as LogReading<State>), isContinued: true };
    return { reading: same, kept: { ...kept, timesContinued: timesContinued + 1 } };
  }
  const known = await open.readAt(border.at, reading.file.size - border.at);
  return sha256Of(known) === border.sha256 ? read(open, reader, signal, kept) : undefined;
}

/** Reads a log from its beginning, or from a border on. */
async function read<State>(
  open: OpenFile,
  reader: LogReader<State>,
  signal: AbortSignal | undefined,
  kept?: Kept,
): Promise<Found<State>> {
  const file = fileIdentityOf(open.stats);
  const from = kept?.border.at ?? 0;
  const state = kept === undefined ? reader.begin() : reader.copy(kept.border.state as State);
  const { onRecord, onBytes } = reader;
  const tell = onRecord && ((record: Uint8Array) => onRecord(state, record));
  const scanner = kept?.border.scanner.fork(tell) ?? new LogScanner(tell);
  const lastBlockAt = Math.max(0, Math.ceil(file.size / LOG_BLOCK_BYTES) - 1) * LOG_BLOCK_BYTES;
  let border: Border | undefined;
  const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, file.size - from));
  for (let start = from; start < file.size; start += PIECE_BYTES) {
    throwIfAborted(signal);
    const bytes = await open.readAt(start, Math.min(PIECE_BYTES, file.size - start), piece);
    for (let at = 0; at < bytes.length; at += LOG_BLOCK_BYTES) {
      const block = bytes.subarray(at, at + LOG_BLOCK_BYTES);
      if (start + at === lastBlockAt && scanner.openBytes <= MOST_OPEN_BYTES) {
        border = {
          at: lastBlockAt,
          scanner: scanner.fork(),
          state: reader.copy(state),
          sha256: sha256Of(block),
        };
      }
      onBytes?.(state, block);
      scanner.push(block);
    }
  }
  const scan = scanner.finish();
  const reading = { scan, state, file, isContinued: kept !== undefined };
  // Zeros may be filled in place later.
  if (border === undefined || scan.damage !== undefined || scan.ending === 'zeros') return { reading };
  const timesContinued = kept === undefined ? 0 : kept.timesContinued + 1;
  return { reading, kept: { reading, border, timesContinued } };
}

function remember(logs: Map<string, Kept>, key: string, kept: Kept): void {
  logs.delete(key);
  logs.set(key, kept);
  const [oldest] = logs.keys();
  if (logs.size > MOST_LOGS && oldest !== undefined) logs.delete(oldest);
}

function logsOf(fs: FileSystem): Map<string, Kept> {
  const { promises } = plainFileSystem(fs);
  const logs = ofDisk.get(promises) ?? new Map<string, Kept>();
  ofDisk.set(promises, logs);
  return logs;
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

import type { LogEnding } from '../leveldb/log-reader.js';
import type { SequenceSpan } from '../leveldb/write-batch.js';

/** The range of changes in a log that has at least one. */
export interface LogSpan extends SequenceSpan {
  readonly name: string;
  readonly ending: LogEnding;
}

/**
 * Finds a log that does not belong to this database. LevelDB numbers every change of a database without a gap, and replays
 * every log in the folder, even one of another login. Such a log is sound in itself, but its numbers don't fit: each log
 * must continue the numbers of the previous one, and together they must reach the last number in the MANIFEST. A power cut,
 * unlike a kill, can also leave a gap, if the MANIFEST reached the disk but the end of a log did not; that is a loss too.
 *
 * @param logs the live logs with records, by ascending number
 * @param lastSequence the last sequence number in the MANIFEST
 * @returns the first log that does not fit, and its problem
 */
export function sequenceProblem(
  logs: readonly LogSpan[],
  lastSequence: number,
): { readonly name: string; readonly problem: string } | undefined {
  let before: LogSpan | undefined;
  for (const log of logs) {
    if (before === undefined && log.first > lastSequence + 1) {
      const problem =
        'the log starts at too high a sequence number: it belongs to another database, or earlier records are missing';
      return { name: log.name, problem };
    }
    if (before !== undefined && log.first !== before.end) {
      const problem = `the log does not go on where ${before.name} ends: one of them belongs to another database, or records between them are missing`;
      return { name: log.name, problem };
    }
    before = log;
  }
  // If the end of the log is cut off, the missing numbers may have been there.
  if (before === undefined || before.ending !== 'clean' || before.end > lastSequence) return undefined;
  const problem =
    'the log ends before what the list of tables (MANIFEST) knows of: it belongs to another database, or its newest records are lost';
  return { name: before.name, problem };
}

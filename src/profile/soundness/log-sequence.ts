import type { LogEnding } from '../leveldb/log-reader.js';
import type { SequenceSpan } from '../leveldb/write-batch.js';

/** The changes of a log that holds any. */
export interface LogSpan extends SequenceSpan {
  readonly name: string;
  readonly ending: LogEnding;
}

/**
 * LevelDB numbers every change of a database, without a gap, and replays every log that lies there, whoever put it
 * there. So the numbers tell a log of another login, which is sound in itself: those of each log run on from the log
 * before it, and those of all of them reach the last one that the MANIFEST knows of. A loss of power, unlike a kill,
 * can leave a hole as well, where the MANIFEST reached the disk and the end of a log did not: that is a loss, too.
 *
 * @param logs the live logs with records, by rising number
 * @param lastSequence the last one in the MANIFEST
 * @returns what is wrong with the first log that does not fit
 */
export function sequenceProblem(
  logs: readonly LogSpan[],
  lastSequence: number,
): { readonly name: string; readonly problem: string } | undefined {
  let before: LogSpan | undefined;
  for (const log of logs) {
    if (before === undefined && log.first > lastSequence + 1) {
      const problem =
        'the log begins too late for this database: it belongs to another one, or what came before it is lost';
      return { name: log.name, problem };
    }
    if (before !== undefined && log.first !== before.end) {
      const problem = `the log does not go on where ${before.name} ends: one of them belongs to another database, or records between them are lost`;
      return { name: log.name, problem };
    }
    before = log;
  }
  // Where the end is torn off, the numbers that are missing may have been in it.
  if (before === undefined || before.ending !== 'clean' || before.end > lastSequence) return undefined;
  const problem =
    'the log ends before what the list of tables (MANIFEST) knows of: it belongs to another database, or its newest records are lost';
  return { name: before.name, problem };
}

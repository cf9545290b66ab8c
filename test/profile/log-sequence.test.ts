import { describe, expect, it } from 'vitest';
import { spanOfBatch } from '../../src/profile/leveldb/write-batch.js';
import { type LogSpan, sequenceProblem } from '../../src/profile/soundness/log-sequence.js';
import { writeBatch } from './leveldb-writer.js';

function log(number: number, first: number, end: number, ending: LogSpan['ending'] = 'clean'): LogSpan {
  return { name: `00000${number}.log`, first, end, ending };
}

describe('the numbers of the changes in the logs', () => {
  it.each<[string, readonly LogSpan[], number]>([
    ['no log holds a record', [], 20],
    ['the log begins right after the tables', [log(6, 21, 33)], 20],
    ['the MANIFEST was written when the log was in use', [log(6, 21, 33)], 25],
    ['the MANIFEST was written after the last change', [log(6, 21, 33)], 32],
    ['one log goes on where the other ends', [log(6, 21, 33), log(8, 33, 34)], 20],
    ['a batch changes nothing', [log(6, 21, 21)], 20],
    ['what is missing may have been in the torn end', [log(6, 21, 25, 'torn')], 30],
    ['what is missing may have been where zeros are', [log(6, 21, 25, 'zeros')], 30],
  ])('fit when %s', (_, logs, lastSequence) => {
    expect(sequenceProblem(logs, lastSequence)).toBeUndefined();
  });

  it.each<[string, readonly LogSpan[], number, string, RegExp]>([
    [
      'there is a hole before the log',
      [log(6, 22, 33)],
      20,
      '000006.log',
      /starts at too high a sequence number/,
    ],
    ['the log ends too early', [log(6, 3, 20)], 20, '000006.log', /ends before/],
    ['there is a hole between logs', [log(6, 21, 33), log(8, 34, 40)], 20, '000008.log', /does not go on/],
    ['numbers come twice', [log(6, 21, 33), log(8, 32, 40)], 20, '000008.log', /where 000006\.log ends/],
    [
      'only the third log does not fit',
      [log(6, 21, 33), log(7, 33, 40), log(8, 1, 2)],
      20,
      '000008.log',
      /where 000007/,
    ],
  ])('do not fit when %s', (_, logs, lastSequence, name, problem) => {
    expect(sequenceProblem(logs, lastSequence)).toEqual({ name, problem: expect.stringMatching(problem) });
  });

  it('are in the head of every batch', () => {
    const entries: [string, string][] = [
      ['a', '1'],
      ['b', '2'],
    ];
    expect(spanOfBatch(writeBatch(entries, 70_000))).toEqual({ first: 70_000, end: 70_002 });
    expect(spanOfBatch(Buffer.alloc(11))).toBeUndefined();
  });
});

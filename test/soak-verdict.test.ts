import { describe, expect, it } from 'vitest';
import type { Measure } from './chaos/soaking/measure.js';
import { judgeGrowth } from './chaos/soaking/verdict.js';

function rounds(change: (round: number) => Partial<Measure> = () => ({})): Measure[] {
  return Array.from({ length: 100 }, (_, round) => ({
    round,
    heapMb: 40,
    rssMb: 200,
    resources: { PipeWrap: 3 },
    descriptors: { socket: 4 },
    browserProcesses: 9,
    temporaryFiles: 0,
    keptFiles: 40,
    quarantined: 2,
    ...change(round),
  }));
}

const grown = (measures: readonly Measure[]) =>
  judgeGrowth(measures)
    .filter(({ flat }) => !flat)
    .map(({ what }) => what);

describe('the verdict of a soak', () => {
  it('finds nothing where nothing grows', () => {
    expect(grown(rounds())).toEqual([]);
    expect(grown(rounds((round) => ({ heapMb: 40 + round / 20, rssMb: 200 + round })))).toEqual([]);
  });

  it('is not led astray by a single round', () => {
    expect(grown(rounds((round) => (round === 95 ? { heapMb: 900, temporaryFiles: 50 } : {})))).toEqual([]);
  });

  it.each<[string, (round: number) => Partial<Measure>]>([
    ['heap used after gc, MB', (round) => ({ heapMb: 40 + round / 10 })],
    ['handles: PipeWrap', (round) => ({ resources: { PipeWrap: 3 + Math.floor(round / 50) } })],
    ['handles: Worker', (round) => ({ resources: round < 50 ? {} : { Worker: 1 } })],
    ['descriptors: socket', (round) => ({ descriptors: { socket: 4 + round } })],
    ['Chromium processes', (round) => ({ browserProcesses: 9 + Math.floor(round / 90) })],
    ['temporary files', (round) => ({ temporaryFiles: round })],
    ['files kept', (round) => ({ keptFiles: 40 + round })],
  ])('tells what grew: %s', (what, change) => {
    expect(grown(rounds(change))).toContain(what);
  });
});

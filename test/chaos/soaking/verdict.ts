import type { Measure } from './measure.js';

/** One line of the verdict: the medians of the first and the last tenth of the rounds. */
export interface Comparison {
  readonly what: string;
  readonly first: number;
  readonly last: number;
  readonly allowed: string;
  readonly flat: boolean;
}

/** Limit for the heap after a collection: a tenth for V8's own data about hot code, and two megabytes of noise. */
const HEAP_GROWTH = 1.1;
const HEAP_NOISE_MB = 2;

/**
 * Checks the values that must be flat. The kept files are compared with the second tenth of the rounds: retention keeps
 * copies of several runs, which share few files, and in the first rounds there was only one run.
 */
export function judgeGrowth(measures: readonly Measure[]): Comparison[] {
  const tenth = Math.max(1, Math.floor(measures.length / 10));
  const first = measures.slice(0, tenth);
  const second = measures.slice(tenth, 2 * tenth);
  const last = measures.slice(-tenth);
  const compare = (
    what: string,
    of: (measure: Measure) => number,
    allowed = 'equal',
    limit = (before: number) => before,
    baseline = first,
  ): Comparison => {
    const [before, after] = [median(baseline.map(of)), median(last.map(of))];
    return { what, first: before, last: after, allowed, flat: after <= limit(before) };
  };
  const kindsOf = (pick: (measure: Measure) => Readonly<Record<string, number>>) =>
    [...new Set([...first, ...last].flatMap((measure) => Object.keys(pick(measure))))].sort();
  return [
    compare(
      'heap used after gc, MB',
      ({ heapMb }) => heapMb,
      `+10 % +${HEAP_NOISE_MB}`,
      (mb) => mb * HEAP_GROWTH + HEAP_NOISE_MB,
    ),
    compare(
      'resident memory, MB',
      ({ rssMb }) => rssMb,
      'told only',
      () => Infinity,
    ),
    ...kindsOf(({ resources }) => resources).map((kind) =>
      compare(`handles: ${kind}`, ({ resources }) => resources[kind] ?? 0),
    ),
    ...kindsOf(({ descriptors }) => descriptors).map((kind) =>
      compare(`descriptors: ${kind}`, ({ descriptors }) => descriptors[kind] ?? 0),
    ),
    compare('Chromium processes', ({ browserProcesses }) => browserProcesses),
    compare('temporary files', ({ temporaryFiles }) => temporaryFiles),
    compare(
      'files kept',
      ({ keptFiles }) => keptFiles,
      '+25 %',
      (files) => files * 1.25,
      second.length > 0 ? second : first,
    ),
  ];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

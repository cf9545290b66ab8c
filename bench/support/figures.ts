/** What one run of one operation cost. */
export interface Figures {
  readonly wallMs: number;
  /** User and system time of the whole process, its worker thread included. */
  readonly cpuMs: number;
  /** CPU time of the main thread alone; null where that is not told. Unlike `busyMs` it knows no other processes. */
  readonly mainCpuMs: number | null;
  /** How long the main thread was busy by the clock (`eventLoopUtilization().active`): longer on a loaded machine. */
  readonly busyMs: number;
  /** By how much the peak of the resident memory was above what was resident before the first operation, bytes. */
  readonly rssBytes: number;
  /** Handed to the kernel by writes and copies (`wchar` of /proc/self/io); null where that is not told. */
  readonly writtenBytes: number | null;
  /** In the store afterwards; null where nothing is kept. */
  readonly keptBytes: number | null;
}

export type Metric = keyof Figures;

export const METRICS: readonly Metric[] = [
  'wallMs',
  'cpuMs',
  'mainCpuMs',
  'busyMs',
  'rssBytes',
  'writtenBytes',
  'keptBytes',
];

/** Below it a figure is noise: a ratio never divides by less. */
const LEAST: Readonly<Record<Metric, number>> = {
  wallMs: 0.1,
  cpuMs: 0.1,
  mainCpuMs: 0.1,
  busyMs: 0.1,
  rssBytes: 100_000,
  writtenBytes: 1_000,
  keptBytes: 1_000,
};

/** The middle value; of an even number of them the mean of the two in the middle. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The median of each figure; null where any run could not tell it. */
export function medianOf(runs: readonly Figures[]): Figures {
  const middle = (metric: Metric): number | null => {
    const values = runs.map((run) => run[metric]);
    return values.includes(null) ? null : median(values as number[]);
  };
  return {
    wallMs: middle('wallMs') ?? Number.NaN,
    cpuMs: middle('cpuMs') ?? Number.NaN,
    mainCpuMs: middle('mainCpuMs'),
    busyMs: middle('busyMs') ?? Number.NaN,
    rssBytes: middle('rssBytes') ?? Number.NaN,
    writtenBytes: middle('writtenBytes'),
    keptBytes: middle('keptBytes'),
  };
}

/** RemoteAuth divided by ours: how many times cheaper ours is. Undefined where one of them can't be told. */
export function ratioOf(metric: Metric, remoteAuth: Figures, ours: Figures): number | undefined {
  const theirs = remoteAuth[metric];
  const own = ours[metric];
  if (theirs === null || own === null) return undefined;
  return theirs / Math.max(own, LEAST[metric]);
}

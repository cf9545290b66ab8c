/** The cost of one run of one operation. */
export interface Figures {
  readonly wallMs: number;
  /** User and system time of the whole process, including its worker thread. */
  readonly cpuMs: number;
  /** CPU time of the main thread alone; null if not available. Unlike `busyMs`, other processes do not affect it. */
  readonly mainCpuMs: number | null;
  /** How long the main thread was busy in wall time (`eventLoopUtilization().active`); longer on a loaded machine. */
  readonly busyMs: number;
  /** The peak of the resident memory minus the resident memory before the first operation, bytes. */
  readonly rssBytes: number;
  /** Bytes that writes and copies passed to the kernel (`wchar` of /proc/self/io); null if not available. */
  readonly writtenBytes: number | null;
  /** Bytes in the store afterwards; null if nothing is stored. */
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

/** A smaller figure is noise, so a ratio never divides by less. */
const LEAST: Readonly<Record<Metric, number>> = {
  wallMs: 0.1,
  cpuMs: 0.1,
  mainCpuMs: 0.1,
  busyMs: 0.1,
  rssBytes: 100_000,
  writtenBytes: 1_000,
  keptBytes: 1_000,
};

/** The middle value; for an even number of values the mean of the two in the middle. NaN for no values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The median of each figure; null if it is missing in any run. */
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

/** RemoteAuth's figure divided by ours: how many times cheaper ours is. Undefined if one of them is missing. */
export function ratioOf(metric: Metric, remoteAuth: Figures, ours: Figures): number | undefined {
  const theirs = remoteAuth[metric];
  const own = ours[metric];
  if (theirs === null || own === null) return undefined;
  return theirs / Math.max(own, LEAST[metric]);
}

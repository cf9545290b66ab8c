import { type Metric, ratioOf } from './figures.js';
import type { BenchReport, Row } from './report.js';

/**
 * The figures that must not get worse. Wall times vary with the machine's load and are only reported, so the busy time
 * of the main thread is checked by its CPU time.
 */
const GUARDED = ['cpuMs', 'mainCpuMs', 'writtenBytes'] as const satisfies readonly Metric[];
const TOLD = ['wallMs', 'busyMs'] as const satisfies readonly Metric[];

const ALLOWED = 1.25;
/** The differences that timers and one garbage collection more or less can cause. */
const SLACK: Readonly<Record<Metric, number>> = {
  wallMs: 10,
  cpuMs: 10,
  // A start or a restore of 20 MB took 25 to 40 ms of the main thread from one run of the bench to the next.
  mainCpuMs: 10,
  busyMs: 10,
  rssBytes: 4_000_000,
  writtenBytes: 100_000,
  keptBytes: 100_000,
};

export interface Change {
  readonly operation: string;
  readonly megabytes: number;
  readonly metric: Metric;
  /** RemoteAuth's figure divided by ours, in the baseline and now. */
  readonly before: number;
  readonly now: number;
}

export interface Comparison {
  /** Number of rows that both reports have. */
  readonly compared: number;
  /** Figures that grew by more than a quarter; these fail the check. */
  readonly regressions: readonly Change[];
  /** Figures that are slower only in wall time. */
  readonly slower: readonly Change[];
}

/**
 * Compares two reports by their ratios to RemoteAuth, which runs on the same machine in the same minute. So the reports
 * may come from different machines.
 */
export function compareWithBaseline(baseline: BenchReport, now: BenchReport): Comparison {
  const pairs = now.rows.flatMap((row) => {
    const before = baseline.rows.find(
      ({ operation, megabytes }) => operation === row.operation && megabytes === row.megabytes,
    );
    return before === undefined ? [] : [{ before, row }];
  });
  const worse = (metrics: readonly Metric[]) =>
    pairs.flatMap(({ before, row }) => metrics.flatMap((metric) => regression(metric, before, row)));
  return { compared: pairs.length, regressions: worse(GUARDED), slower: worse(TOLD) };
}

function regression(metric: Metric, before: Row, now: Row): Change[] {
  const ratioBefore = ratioOf(metric, before.remoteAuth, before.ours);
  const ratioNow = ratioOf(metric, now.remoteAuth, now.ours);
  const theirs = now.remoteAuth[metric];
  const own = now.ours[metric];
  if (ratioBefore === undefined || ratioNow === undefined || theirs === null || own === null) return [];
  const allowed = (theirs / ratioBefore) * ALLOWED + SLACK[metric];
  if (own <= allowed) return [];
  const { operation, megabytes } = now;
  return [{ operation, megabytes, metric, before: ratioBefore, now: ratioNow }];
}

/** @throws Error if the text is not a report of this bench. */
export function parseReport(text: string): BenchReport {
  const value = JSON.parse(text) as Partial<BenchReport>;
  if (value.format !== 1 || !Array.isArray(value.rows)) throw new Error('it is no report of npm run bench');
  return value as BenchReport;
}

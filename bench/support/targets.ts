import type { Figures, Metric } from './figures.js';
import { ratioOf } from './figures.js';
import type { Operation } from './operations.js';

/** The sizes that have targets, in megabytes. */
const CLASSES = [20, 100, 500] as const;

type ByClass = readonly [number, number, number];

const same = (ratio: number): ByClass => [ratio, ratio, ratio];

/** The minimum of RemoteAuth's wall time divided by ours. */
const WALL: Readonly<Partial<Record<Operation, ByClass>>> = {
  'first force-save': same(6),
  'force-save, nothing changed': [100, 250, 500],
  'force-save after 1 MB': [30, 80, 250],
  'backup, cold': same(4),
  'backup after 1 MB': same(4),
  'backup, nothing changed': same(100),
  'restore from a save': same(6),
  'restore from a zip': same(3),
  'initialize, sound profile': same(2.5),
  'initialize, no profile': same(2.5),
};

const BUSY = 50;
/** 40 % less memory than RemoteAuth. */
const RSS = 1 / 0.6;
const WRITTEN_AFTER_TRAFFIC = 8;
/** `compression: 'small'` deflates as RemoteAuth does; the zip may be a thousandth larger for its manifest. */
const NO_LARGER = 0.999;
const WRITTEN_NOTHING_CHANGED_BYTES = 100_000;

/** The result of comparing one figure with its target. */
export interface Verdict {
  readonly metric: Metric;
  /** RemoteAuth's figure divided by ours; undefined if one of them is missing. */
  readonly ratio: number | undefined;
  /** The target in words; empty if there is none. */
  readonly target: string;
  readonly met: boolean;
}

/** The verdict on one figure of an operation on a profile of about this many megabytes. */
export function verdictOn(
  metric: Metric,
  operation: Operation,
  megabytes: number,
  sides: { readonly remoteAuth: Figures; readonly ours: Figures },
): Verdict {
  const ratio = ratioOf(metric, sides.remoteAuth, sides.ours);
  const most = mostBytes(metric, operation);
  if (most !== undefined) {
    const written = sides.ours.writtenBytes ?? 0;
    return { metric, ratio, target: `<= ${most / 1e6} MB`, met: written <= most };
  }
  const wanted = wantedRatio(metric, operation, megabytes);
  if (wanted === undefined || ratio === undefined) return { metric, ratio, target: '', met: true };
  return { metric, ratio, target: `>= ${Number(wanted.toFixed(2))}`, met: ratio >= wanted };
}

/** How much more memory a large profile may take than a small one, bytes. */
const FLAT_WITHIN_BYTES = 8_000_000;

/** Whether the memory stays the same from the smallest to the largest profile. */
export function isFlat(growths: readonly number[]): boolean {
  const [first] = growths;
  const last = growths.at(-1);
  return first === undefined || last === undefined || last - first <= FLAT_WITHIN_BYTES;
}

function mostBytes(metric: Metric, operation: Operation): number | undefined {
  return metric === 'writtenBytes' && operation.endsWith('nothing changed')
    ? WRITTEN_NOTHING_CHANGED_BYTES
    : undefined;
}

function wantedRatio(metric: Metric, operation: Operation, megabytes: number): number | undefined {
  switch (metric) {
    case 'wallMs':
      return WALL[operation]?.[nearestClass(megabytes)];
    case 'mainCpuMs':
    case 'busyMs':
      return BUSY;
    case 'rssBytes':
      return operation.startsWith('initialize') ? undefined : RSS;
    case 'keptBytes':
      return operation === 'backup, small' ? NO_LARGER : undefined;
    case 'writtenBytes':
      return operation === 'force-save after 1 MB' ? WRITTEN_AFTER_TRAFFIC : undefined;
    default:
      return undefined;
  }
}

function nearestClass(megabytes: number): 0 | 1 | 2 {
  const [distances] = [CLASSES.map((size) => Math.abs(Math.log(megabytes / size)))];
  return distances.indexOf(Math.min(...distances)) as 0 | 1 | 2;
}

import type { BotSample, BotSide } from '../children/bot-at-work.js';
import { median } from './figures.js';

/** What one bot's node process has cost. */
export interface BotFigures {
  readonly readyMs: number;
  readonly samples: readonly BotSample[];
  /** What its page has written to IndexedDB. */
  readonly pageBytes: number;
  /** How often it has stored its session, and what went wrong. */
  readonly events: Readonly<Record<string, number>>;
}

export type BotMetric = 'cpuMs' | 'mainCpuMs' | 'busyMs' | 'writtenBytes';

/** The most that ours may cost beyond the plain client, as a share of what RemoteAuth costs beyond it. */
const SHARES: Readonly<Partial<Record<BotMetric, number>>> = {
  cpuMs: 0.08,
  busyMs: 0.08,
  writtenBytes: 0.03,
};
const MOST_RESIDENT_BYTES = 15e6;

/** From this time after `ready` on, a start counts as over. */
const START_OVER_MS = 30_000;

export interface BotVerdict {
  readonly name: string;
  readonly cells: readonly [plain: string, ours: string, saves: string, remoteAuth: string];
  /** Ours beyond plain as a share of RemoteAuth's, or in megabytes. */
  readonly beyond: string;
  /** The same of ours without backups, which has no target of its own. */
  readonly savesBeyond: string;
  /** The target in words; empty if there is none. */
  readonly target: string;
  readonly met: boolean;
}

type Sides = Readonly<Record<BotSide, BotFigures>>;

export function botVerdicts(sides: Sides): readonly BotVerdict[] {
  return [
    ofMetric(sides, 'cpuMs', 'CPU, s', 1000),
    ofMetric(sides, 'mainCpuMs', 'main thread CPU, s', 1000),
    ofMetric(sides, 'busyMs', 'main thread busy, s', 1000),
    ofMetric(sides, 'writtenBytes', 'written, MB', 1e6),
    resident(sides),
    ofMetric(sides, 'cpuMs', 'CPU from 30 s after ready on, s', 1000, true),
    ofMetric(sides, 'busyMs', 'main thread busy from then on, s', 1000, true),
    ofMetric(sides, 'writtenBytes', 'written from then on, MB', 1e6, true),
  ];
}

function ofMetric(sides: Sides, metric: BotMetric, name: string, unit: number, isAtWork = false): BotVerdict {
  const [plain, ours, saves, remoteAuth] = eachOf(sides, (figures) => costOf(figures, metric, isAtWork));
  const shareOf = (cost: number) => (cost - plain) / (remoteAuth - plain);
  const share = shareOf(ours);
  const most = isAtWork ? undefined : SHARES[metric];
  const text = (value: number) =>
    Number.isNaN(value) ? '-' : (value / unit).toFixed(value / unit < 100 ? 2 : 0);
  return {
    name,
    cells: [text(plain), text(ours), text(saves), text(remoteAuth)],
    beyond: share.toFixed(3),
    savesBeyond: shareOf(saves).toFixed(3),
    target: most === undefined ? '' : `<= ${most}`,
    met: most === undefined || share <= most,
  };
}

/** The median of the second half of the run, because a single moment depends on the garbage collection. */
function resident(sides: Sides): BotVerdict {
  const [plain, ours, saves, remoteAuth] = eachOf(sides, ({ samples }) =>
    median(samples.slice(Math.floor(samples.length / 2)).map(({ rssBytes }) => rssBytes)),
  );
  const text = (bytes: number) => (bytes / 1e6).toFixed(0);
  return {
    name: 'resident, MB',
    cells: [text(plain), text(ours), text(saves), text(remoteAuth)],
    beyond: `+${text(ours - plain)} MB`,
    savesBeyond: `+${text(saves - plain)} MB`,
    target: `<= +${text(MOST_RESIDENT_BYTES)} MB`,
    met: ours - plain <= MOST_RESIDENT_BYTES,
  };
}

function costOf({ samples, readyMs }: BotFigures, metric: BotMetric, isAtWork: boolean): number {
  const last = samples.at(-1)?.[metric] ?? Number.NaN;
  if (!isAtWork) return last;
  const first = samples.find(({ sinceMs }) => sinceMs >= readyMs + START_OVER_MS)?.[metric];
  return last - (first ?? Number.NaN);
}

function eachOf(
  { plain, ours, saves, remoteAuth }: Sides,
  figure: (figures: BotFigures) => number,
): readonly [plain: number, ours: number, saves: number, remoteAuth: number] {
  return [figure(plain), figure(ours), figure(saves), figure(remoteAuth)];
}

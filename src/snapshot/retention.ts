import type { SnapshotInfo, SnapshotKind } from '../types.js';
import { newestBelievableFirst } from './capture-time.js';
import type { UnreadableSnapshot } from './repository.js';

/** How many snapshots of one kind are kept. */
export interface KeepRule {
  /** How many of the newest snapshots are kept. */
  readonly keepLast: number;
  /** Keeps the newest snapshot of each of this many last days (UTC) that have any. Default 0. */
  readonly keepDaily?: number;
}

export interface RetentionPolicy {
  readonly saves: KeepRule;
  readonly backups: KeepRule;
  /** Stored megabytes (2^20 bytes) of all snapshots together; the oldest are removed first. */
  readonly maxTotalMb: number;
}

/** The facts that decide whether a snapshot is kept. */
export type Retainable = Pick<
  SnapshotInfo,
  'id' | 'kind' | 'store' | 'createdAt' | 'storedBytes' | 'settled' | 'revoked' | 'profile'
> &
  Partial<Pick<SnapshotInfo, 'lineage'>>;

/**
 * The snapshots that a policy no longer keeps, oldest first. Pure: pass the lists of all repositories together.
 *
 * In every store and for every kind, the newest snapshot that is not revoked is always kept, and so is the newest
 * settled one of these. When accounts share a client id by mistake, this holds for each profile. Age is the order
 * of the captures: capture times always rise, even after a clock was set back. A time in the far future is not
 * believed, and its snapshot counts as the oldest.
 *
 * The `storedBytes` of a save are the bytes that it added, so removing it may free less; the next call sees the
 * new sums.
 *
 * @param now the wall clock, ms since 1970; default: every time is believed
 */
export function selectForRemoval<Snapshot extends Retainable>(
  snapshots: readonly Snapshot[],
  policy: RetentionPolicy,
  now = Number.POSITIVE_INFINITY,
): readonly Snapshot[] {
  const newestFirst = compareAge(now);
  const ordered = [...snapshots].sort(newestFirst);
  const groups = groupByShelf(ordered);
  const untouchable = new Set<Snapshot>();
  const kept = new Set<Snapshot>();
  for (const group of groups.values()) {
    for (const own of groupByProfile(group)) for (const snapshot of lastGood(own)) untouchable.add(snapshot);
    for (const snapshot of keptByRule(group, ruleFor(group[0]?.kind, policy))) kept.add(snapshot);
  }
  const stay = ordered.filter((snapshot) => untouchable.has(snapshot) || kept.has(snapshot));
  return ordered
    .filter((snapshot) => !stay.includes(snapshot))
    .concat(beyondSize(stay, untouchable, policy.maxTotalMb * 1024 * 1024))
    .sort((a, b) => newestFirst(b, a));
}

/**
 * Whether a policy would remove an unreadable snapshot even if it were the best of its time: whole, settled and of
 * the present login. Then a newer snapshot exists that is all that must always be kept (docs/invariants.md I3),
 * and nothing is lost that only the unreadable one would be needed for.
 *
 * @param whole the readable snapshots of all repositories together; unreadable ones never count among them
 * @param shelf the kind and the store of the unreadable one
 * @param now as for {@link selectForRemoval}
 */
export function isOutlived(
  { id, createdAt, storedBytes }: UnreadableSnapshot,
  whole: readonly Retainable[],
  policy: RetentionPolicy,
  shelf: Pick<Retainable, 'kind' | 'store'>,
  now = Number.POSITIVE_INFINITY,
): boolean {
  const atItsBest: Retainable = { ...shelf, id, createdAt, storedBytes, settled: true, revoked: false };
  return selectForRemoval([...whole, atItsBest], policy, now).includes(atItsBest);
}

function keptByRule<Snapshot extends Retainable>(
  newestFirst: readonly Snapshot[],
  rule: KeepRule,
): readonly Snapshot[] {
  const newestOfDay = new Map<string, Snapshot>();
  for (const snapshot of newestFirst) {
    const day = snapshot.createdAt.slice(0, 10);
    if (!newestOfDay.has(day)) newestOfDay.set(day, snapshot);
  }
  return [...newestFirst.slice(0, rule.keepLast), ...[...newestOfDay.values()].slice(0, rule.keepDaily ?? 0)];
}

function lastGood<Snapshot extends Retainable>(newestFirst: readonly Snapshot[]): readonly Snapshot[] {
  const good = newestFirst.filter(({ revoked }) => !revoked);
  return [good[0], good.find(({ settled }) => settled)].filter((snapshot) => snapshot !== undefined);
}

function beyondSize<Snapshot extends Retainable>(
  newestFirst: readonly Snapshot[],
  untouchable: ReadonlySet<Snapshot>,
  maxBytes: number,
): readonly Snapshot[] {
  let total = newestFirst.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
  const removed: Snapshot[] = [];
  for (const snapshot of [...newestFirst].reverse()) {
    if (total <= maxBytes) break;
    if (untouchable.has(snapshot)) continue;
    total -= snapshot.storedBytes;
    removed.push(snapshot);
  }
  return removed;
}

function groupByShelf<Snapshot extends Retainable>(snapshots: readonly Snapshot[]): Map<string, Snapshot[]> {
  const groups = new Map<string, Snapshot[]>();
  for (const snapshot of snapshots) {
    const group = groups.get(shelfOf(snapshot));
    if (group === undefined) groups.set(shelfOf(snapshot), [snapshot]);
    else group.push(snapshot);
  }
  return groups;
}

function shelfOf({ kind, store }: Retainable): string {
  return `${kind}:${store}`;
}

/**
 * Groups snapshots by the folder of their profile. A lineage whose profile was moved counts for its newest folder.
 * A lineage without a known folder counts for that of the newest snapshot.
 */
function groupByProfile<Snapshot extends Retainable>(newestFirst: readonly Snapshot[]): Iterable<Snapshot[]> {
  const places = new Map<string | undefined, string | undefined>();
  for (const { lineage, profile } of newestFirst) {
    if (!places.has(lineage)) places.set(lineage, profile?.path);
  }
  const newest = newestFirst[0]?.profile?.path;
  const groups = new Map<string | undefined, Snapshot[]>();
  for (const snapshot of newestFirst) {
    const place = places.get(snapshot.lineage) ?? newest;
    groups.set(place, [...(groups.get(place) ?? []), snapshot]);
  }
  return groups.values();
}

function ruleFor(kind: SnapshotKind | undefined, policy: RetentionPolicy): KeepRule {
  return kind === 'backup' ? policy.backups : policy.saves;
}

/** Orders the newest first. */
function compareAge(now: number): (a: Retainable, b: Retainable) => number {
  const byTime = newestBelievableFirst(now);
  return (a, b) => byTime(a, b) || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

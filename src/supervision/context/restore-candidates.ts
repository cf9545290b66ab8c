import { newestBelievableFirst } from '../../snapshot/capture-time.js';
import type { SnapshotInfo } from '../../types.js';

/** Decides which snapshots may be restored, and in which order. */
export interface CandidatePolicy {
  /** The lineage of the local profile. When absent, the newest existing lineage counts. */
  readonly lineage?: string | undefined;
  /** Revoked lineages, in addition to those that their stores mark as revoked. */
  readonly revokedLineages: readonly string[];
  /** Snapshots that were restored before and still led to a QR. */
  readonly rejectedSnapshots: readonly string[];
  readonly rejectedLineages: readonly string[];
  /** Held lineages, in addition to those that their stores mark as held. */
  readonly heldLineages?: readonly string[] | undefined;
  /** The login in place, which counts also if it is older than those that it has replaced. */
  readonly inPlace?: string | undefined;
  /** When the login in place, or else the last one, came here, ISO 8601; see {@link replacedIn}. */
  readonly inPlaceSince?: string | undefined;
  /** Lineages that another login has replaced here, in addition to those that {@link inPlaceSince} tells. */
  readonly replacedLineages?: readonly string[] | undefined;
  /** Whether a person asks for the restore. Then a held or replaced lineage may be restored, too. */
  readonly isAskedFor?: boolean;
  /** Wall clock, ms since 1970. Snapshots dated long after it come last. */
  readonly now: number;
}

/**
 * The snapshots that may be restored automatically, best first: one lineage, not revoked, newest run first. Within a
 * run, settled ones come first, then the newest capture. For the same capture time, the save comes first, because it
 * is restored without unpacking.
 */
export function restoreCandidates(
  snapshots: readonly SnapshotInfo[],
  policy: CandidatePolicy,
): readonly SnapshotInfo[] {
  const lineage = policy.lineage ?? lineageToRestore(snapshots, policy);
  if (lineage === undefined) return [];
  if (isRevoked(lineage, snapshots, policy) || policy.rejectedLineages.includes(lineage)) return [];
  if (policy.isAskedFor !== true && isHeld(lineage, snapshots, policy)) return [];
  return snapshots
    .filter((snapshot) => snapshot.lineage === lineage)
    .filter((snapshot) => !policy.rejectedSnapshots.includes(snapshot.id))
    .sort(bestFirst(policy.now));
}

/** Whether the lineage was logged out. A revocation known to one store applies to the copies in all stores. */
function isRevoked(
  lineage: string,
  snapshots: readonly SnapshotInfo[],
  { revokedLineages }: CandidatePolicy,
): boolean {
  const isMarked = (snapshot: SnapshotInfo) => snapshot.lineage === lineage && snapshot.revoked;
  return revokedLineages.includes(lineage) || snapshots.some(isMarked);
}

/** Whether the lineage's profile was removed. A hold known to one store applies to the copies in all stores. */
function isHeld(
  lineage: string,
  snapshots: readonly SnapshotInfo[],
  { heldLineages = [] }: CandidatePolicy,
): boolean {
  const isMarked = (snapshot: SnapshotInfo) => snapshot.lineage === lineage && snapshot.held === true;
  return heldLineages.includes(lineage) || snapshots.some(isMarked);
}

/**
 * The lineages in these snapshots that another login has replaced at this place: those that the record names, and those
 * whose last snapshot is older than the login in place. That login may have no snapshot yet, and may have ended since.
 */
export function replacedIn(
  snapshots: readonly SnapshotInfo[],
  {
    inPlace,
    inPlaceSince,
    replacedLineages = [],
    heldLineages = [],
  }: Pick<CandidatePolicy, 'inPlace' | 'inPlaceSince' | 'replacedLineages' | 'heldLineages'>,
): ReadonlySet<string> {
  const last = new Map<string, string>();
  for (const { lineage, createdAt } of snapshots) {
    if (createdAt > (last.get(lineage) ?? '')) last.set(lineage, createdAt);
  }
  // A removed login was in place itself, and restore() brings it back.
  const isOlder = (lineage: string, at: string) =>
    inPlaceSince !== undefined && at < inPlaceSince && !heldLineages.includes(lineage);
  const replaced = [...last].filter(
    ([lineage, at]) => replacedLineages.includes(lineage) || isOlder(lineage, at),
  );
  return new Set(replaced.map(([lineage]) => lineage).filter((lineage) => lineage !== inPlace));
}

// A person gets an older login only where no login is in place; otherwise the id has to be named.
function lineageToRestore(snapshots: readonly SnapshotInfo[], policy: CandidatePolicy): string | undefined {
  const replaced = replacedIn(snapshots, policy);
  const left = snapshots.filter(({ lineage }) => !replaced.has(lineage));
  const isOpen = policy.isAskedFor === true && policy.inPlace === undefined;
  return newestLineage(left.length === 0 && isOpen ? snapshots : left, policy.now);
}

// Each pairing makes the credentials of the one before it worthless. So an older lineage is never used, even when the
// newest one is revoked.
function newestLineage(snapshots: readonly SnapshotInfo[], now: number): string | undefined {
  return [...snapshots].sort(newestBelievableFirst(now))[0]?.lineage;
}

function bestFirst(now: number): (a: SnapshotInfo, b: SnapshotInfo) => number {
  const newestFirst = newestBelievableFirst(now);
  return (a, b) =>
    b.run - a.run ||
    Number(b.settled) - Number(a.settled) ||
    newestFirst(a, b) ||
    Number(a.kind === 'backup') - Number(b.kind === 'backup') ||
    compare(a.store, b.store);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

import { newestBelievableFirst } from '../../snapshot/capture-time.js';
import type { SnapshotInfo } from '../../types.js';

/** What decides which snapshots may be put in place, and in which order. */
export interface CandidatePolicy {
  /** The lineage of the local profile; absent: the newest lineage there is. */
  readonly lineage?: string | undefined;
  /** Besides those that their stores mark as revoked. */
  readonly revokedLineages: readonly string[];
  /** Were restored before and met a QR. */
  readonly rejectedSnapshots: readonly string[];
  readonly rejectedLineages: readonly string[];
  /** Besides those that their stores mark as held. */
  readonly heldLineages?: readonly string[] | undefined;
  /** Whether a person asks for it: then one that is held may be restored, too. */
  readonly isAskedFor?: boolean;
  /** The wall clock, ms since 1970: what was taken long after it comes last. */
  readonly now: number;
}

/**
 * The snapshots that may be restored by themselves, best first: one lineage, not revoked,
 * newest run first; within a run settled before unsettled, then the newest capture; of one capture's time the save
 * first, because it is restored without unpacking.
 */
export function restoreCandidates(
  snapshots: readonly SnapshotInfo[],
  policy: CandidatePolicy,
): readonly SnapshotInfo[] {
  const lineage = policy.lineage ?? newestLineage(snapshots, policy.now);
  if (lineage === undefined) return [];
  if (isRevoked(lineage, snapshots, policy) || policy.rejectedLineages.includes(lineage)) return [];
  if (policy.isAskedFor !== true && isHeld(lineage, snapshots, policy)) return [];
  return snapshots
    .filter((snapshot) => snapshot.lineage === lineage)
    .filter((snapshot) => !policy.rejectedSnapshots.includes(snapshot.id))
    .sort(bestFirst(policy.now));
}

/** Whether it was logged out; what one store knows of it holds for the copies in all. */
function isRevoked(
  lineage: string,
  snapshots: readonly SnapshotInfo[],
  { revokedLineages }: CandidatePolicy,
): boolean {
  const isMarked = (snapshot: SnapshotInfo) => snapshot.lineage === lineage && snapshot.revoked;
  return revokedLineages.includes(lineage) || snapshots.some(isMarked);
}

/** Whether its profile was removed; what one store knows of it holds for the copies in all. */
function isHeld(
  lineage: string,
  snapshots: readonly SnapshotInfo[],
  { heldLineages = [] }: CandidatePolicy,
): boolean {
  const isMarked = (snapshot: SnapshotInfo) => snapshot.lineage === lineage && snapshot.held === true;
  return heldLineages.includes(lineage) || snapshots.some(isMarked);
}

// A pairing that followed another made the other's credentials worthless: an older lineage is never looked at,
// not even when the newest one is revoked.
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

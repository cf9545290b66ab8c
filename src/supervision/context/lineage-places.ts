import { newestBelievableFirst } from '../../snapshot/capture-time.js';
import type { SnapshotInfo } from '../../types.js';

/** A login (lineage) and the places where its snapshots say that it was stored. */
export interface LineagePlaces {
  readonly lineage: string;
  /** The newest snapshot that names a place, which is the login's last one. Absent when none of them names a place. */
  readonly last: SnapshotInfo | undefined;
  /** The newest snapshot for each place, by the place's path. */
  readonly newest: ReadonlyMap<string, SnapshotInfo>;
  /** Whether a store says that the login was logged out. */
  readonly isRevoked: boolean;
  /** Whether a store says that the login must not move to another place automatically. */
  readonly isHeld: boolean;
}

/** All logins in these snapshots, with their places. */
export function placesOfLineages(
  snapshots: readonly SnapshotInfo[],
  now: number,
): ReadonlyMap<string, LineagePlaces> {
  const byLineage = new Map<string, SnapshotInfo[]>();
  for (const info of snapshots) {
    const known = byLineage.get(info.lineage);
    if (known === undefined) byLineage.set(info.lineage, [info]);
    else known.push(info);
  }
  return new Map([...byLineage].map(([lineage, infos]) => [lineage, placesOf(lineage, infos, now)]));
}

/**
 * Whether another login was saved later at this login's last place. A pairing replaces the login before it.
 *
 * @param by the logins that can have replaced it; default: all
 */
export function isReplaced(
  { lineage, last }: LineagePlaces,
  by: Iterable<LineagePlaces>,
  now: number,
): boolean {
  if (last === undefined) return false;
  const newestFirst = newestBelievableFirst(now);
  for (const other of by) {
    const later = other.lineage === lineage ? undefined : other.newest.get(pathOf(last));
    if (later !== undefined && newestFirst(later, last) < 0) return true;
  }
  return false;
}

function placesOf(lineage: string, infos: readonly SnapshotInfo[], now: number): LineagePlaces {
  const newestFirst = newestBelievableFirst(now);
  const placed = infos.filter(({ profile }) => profile !== undefined);
  // Runs tell which snapshot is newer, because the clocks of two machines differ.
  const [last] = [...placed].sort((a, b) => b.run - a.run || newestFirst(a, b));
  const newest = new Map<string, SnapshotInfo>();
  for (const info of [...placed].sort(newestFirst).reverse()) newest.set(pathOf(info), info);
  return {
    lineage,
    last,
    newest,
    isRevoked: infos.some(({ revoked }) => revoked),
    isHeld: infos.some(({ held, heldElsewhere }) => held === true || heldElsewhere === true),
  };
}

function pathOf({ profile }: SnapshotInfo): string {
  return profile?.path ?? '';
}

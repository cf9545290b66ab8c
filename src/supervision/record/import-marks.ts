import { MAX_IMPORTED } from '../../snapshot/manifest/manifest-fields.js';
import type { SnapshotInfo } from '../../types.js';
import { importOf } from './lineage.js';
import type { SessionRecord } from './session-record.js';

/** What names lineages: snapshots and their manifests. */
type Naming = Pick<SnapshotInfo, 'lineage' | 'imported'>;

/** Every lineage that began with an import, according to the record and these snapshots; oldest first, each once. */
export function importsIn(record: SessionRecord, snapshots: readonly Naming[]): readonly string[] {
  const { lineage = '', imported = [], revokedLineages, rejectedLineages, heldLineages = [] } = record;
  const { replacedLineages = [] } = record;
  const ofSnapshots = snapshots.flatMap((one) => [...(one.imported ?? []), one.lineage]);
  return onlyImports([
    ...ofSnapshots,
    ...revokedLineages,
    ...rejectedLineages,
    ...heldLineages,
    ...replacedLineages,
    ...imported,
    lineage,
  ]);
}

/** The earlier imports that a new snapshot of `lineage` records; only the newest when there are too many. */
export function importsBeside(
  lineage: string,
  known: readonly string[],
): { readonly imported?: readonly string[] } {
  const others = known.filter((one) => one !== lineage).slice(-MAX_IMPORTED);
  return others.length > 0 ? { imported: others } : {};
}

/**
 * Those of the given lineages that began with an import, each once. Their names begin with the date, so they sort by
 * age.
 */
export function onlyImports(lineages: readonly string[]): readonly string[] {
  return [...new Set(lineages)].filter((one) => importOf(one) !== undefined).sort();
}

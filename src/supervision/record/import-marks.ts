import { MAX_IMPORTED } from '../../snapshot/manifest-fields.js';
import type { SnapshotInfo } from '../../types.js';
import { importOf } from './lineage.js';
import type { SessionRecord } from './session-record.js';

/** What names pairings: snapshots, their manifests. */
type Naming = Pick<SnapshotInfo, 'lineage' | 'imported'>;

/** Every pairing that began with an import, as far as the record and these snapshots tell; oldest first, each once. */
export function importsIn(record: SessionRecord, snapshots: readonly Naming[]): readonly string[] {
  const { lineage = '', imported = [], revokedLineages, rejectedLineages, heldLineages = [] } = record;
  const ofSnapshots = snapshots.flatMap((one) => [...(one.imported ?? []), one.lineage]);
  return onlyImports([
    ...ofSnapshots,
    ...revokedLineages,
    ...rejectedLineages,
    ...heldLineages,
    ...imported,
    lineage,
  ]);
}

/** What a new snapshot of `lineage` tells of the imports before it; of more than fit, the newest. */
export function importsBeside(
  lineage: string,
  known: readonly string[],
): { readonly imported?: readonly string[] } {
  const others = known.filter((one) => one !== lineage).slice(-MAX_IMPORTED);
  return others.length > 0 ? { imported: others } : {};
}

/** Of several pairings those that began with an import, each once. Their names begin with the day: they sort by age. */
export function onlyImports(lineages: readonly string[]): readonly string[] {
  return [...new Set(lineages)].filter((one) => importOf(one) !== undefined).sort();
}

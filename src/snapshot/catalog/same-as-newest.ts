import type { SnapshotContext, SnapshotFile, SnapshotManifest } from '../../types.js';
import { contentDigest } from '../manifest/manifest.js';
import { isWorthMore } from '../repository.js';
import type { CatalogEntry } from './entries.js';

/**
 * The newest snapshot of the lineage, if it already holds these files and a new one would not be worth more.
 *
 * @param entries newest first
 */
export function sameAsNewest(
  entries: readonly CatalogEntry[],
  files: readonly SnapshotFile[],
  context: SnapshotContext,
): SnapshotManifest | undefined {
  const newest = entries.find(({ manifest }) => manifest.lineage === context.lineage)?.manifest;
  if (newest?.contentDigest !== contentDigest(files) || isWorthMore(context, newest)) return undefined;
  return newest;
}

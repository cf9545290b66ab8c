import type { StoreCallOptions } from '../../stores/session-store.js';
import type { SnapshotCatalog } from '../catalog/catalog.js';
import type { Hold, Revocation, SnapshotRepository } from '../repository.js';

type Marking = Pick<SnapshotRepository, 'revoke' | 'revokedLineages' | 'hold' | 'heldLineages' | 'release'>;

/** The part of a repository that is the same in every format: markers for whole pairings, stored as small objects. */
export abstract class MarkingRepository implements Marking {
  protected abstract readonly catalog: SnapshotCatalog;

  revoke(lineage: string, revocation: Revocation, options: StoreCallOptions = {}): Promise<void> {
    return this.catalog.revoke(lineage, revocation, options);
  }

  revokedLineages(options: StoreCallOptions = {}): Promise<ReadonlySet<string>> {
    return this.catalog.revokedLineages(options);
  }

  hold(lineage: string, hold: Hold, options: StoreCallOptions = {}): Promise<void> {
    return this.catalog.hold(lineage, hold, options);
  }

  heldLineages(options: StoreCallOptions = {}): Promise<ReadonlySet<string>> {
    return this.catalog.heldLineages(options);
  }

  release(lineage: string, options: StoreCallOptions = {}): Promise<void> {
    return this.catalog.release(lineage, options);
  }
}

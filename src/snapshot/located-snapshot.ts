import type { SnapshotInfo } from '../types.js';
import type { SnapshotRepository } from './repository.js';

/** A snapshot and where it is. */
export interface LocatedSnapshot {
  readonly info: SnapshotInfo;
  readonly repository: SnapshotRepository;
}

import { join } from 'node:path';
import { isSameProfile } from '../profile-identity.js';
import type { ProfileIdentity, SnapshotInfo } from '../types.js';
import type { SessionContext } from './session-context.js';
import type { LocatedSnapshot } from './session-snapshots.js';

/** Snapshots by the question whether they were made for this session's profile. */
export interface BoundSnapshots {
  readonly ours: readonly LocatedSnapshot[];
  readonly others: readonly LocatedSnapshot[];
}

/**
 * Tells which snapshots of the client id are this profile's own. Several accounts may share an id by mistake, and then
 * nothing but the profile's place tells them apart.
 */
export class ProfileBinding {
  readonly #context: Pick<SessionContext, 'fs' | 'profile' | 'record'>;

  constructor(context: Pick<SessionContext, 'fs' | 'profile' | 'record'>) {
    this.#context = context;
  }

  /**
   * Ours are those made at this very place, those of the login that lies here, and those made at the same place below
   * the bot's folder, as long as no profile is left where they were made: the bot was moved, or deployed anew.
   */
  async sort(located: readonly LocatedSnapshot[]): Promise<BoundSnapshots> {
    const ours: LocatedSnapshot[] = [];
    const others: LocatedSnapshot[] = [];
    const left = new Map<string, boolean>();
    for (const candidate of located) {
      const { info } = candidate;
      const isOurs = this.#isOwn(info) || (this.#isFromSamePlace(info) && !(await this.#isLeft(info, left)));
      (isOurs ? ours : others).push(candidate);
    }
    return { ours, others };
  }

  /** Whether it was made where the bot was before, and not at this very place. */
  isMoved({ profile }: SnapshotInfo): boolean {
    return profile !== undefined && profile.path !== this.#context.profile.path;
  }

  /** Whether a profile lies on this machine at the place that is named. */
  async isProfileAt({ path }: ProfileIdentity): Promise<boolean> {
    return this.#context.fs.promises.stat(join(path, 'Default')).then(
      () => true,
      () => false,
    );
  }

  #isOwn({ profile, lineage }: SnapshotInfo): boolean {
    const { profile: here, record } = this.#context;
    return profile === undefined || profile.path === here.path || lineage === record.current.lineage;
  }

  #isFromSamePlace({ profile }: SnapshotInfo): boolean {
    return profile !== undefined && isSameProfile(profile, this.#context.profile);
  }

  async #isLeft({ profile }: SnapshotInfo, known: Map<string, boolean>): Promise<boolean> {
    if (profile === undefined) return false;
    const left = known.get(profile.path) ?? (await this.isProfileAt(profile));
    known.set(profile.path, left);
    return left;
  }
}

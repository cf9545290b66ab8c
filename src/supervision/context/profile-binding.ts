import { join } from 'node:path';
import type { FileSystem } from '../../file-system.js';
import { isSameProfile } from '../../profile-identity.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { ProfileIdentity, SnapshotInfo } from '../../types.js';
import type { SessionRecordFile } from '../record/session-record.js';

export interface ProfileBindingContext {
  readonly fs: FileSystem;
  readonly profile: ProfileIdentity;
  readonly record: SessionRecordFile;
}

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
  readonly #context: ProfileBindingContext;

  constructor(context: ProfileBindingContext) {
    this.#context = context;
  }

  /**
   * Ours are those made at this very place, and those of a login that has lain here. Only where there is none of these, the
   * bot may have been moved or deployed anew: then those count that were made at the same place below the bot's folder, as
   * long as no profile is left where that was, and they are all of one place.
   */
  async sort(located: readonly LocatedSnapshot[]): Promise<BoundSnapshots> {
    const lineages = this.#lineagesHere(located);
    const isOwn = ({ info }: LocatedSnapshot) => info.profile === undefined || lineages.has(info.lineage);
    const own = located.filter(isOwn);
    const ours = new Set(own.length > 0 ? own : await this.#moved(located));
    return { ours: located.filter((one) => ours.has(one)), others: located.filter((one) => !ours.has(one)) };
  }

  /** Whether it may be one of {@link BoundSnapshots.ours}; no disk is asked for that. */
  mayBeOurs({ profile, lineage }: SnapshotInfo): boolean {
    const { profile: here, record } = this.#context;
    return profile === undefined || isSameProfile(profile, here) || lineage === record.current.lineage;
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

  /** The logins that have lain at this very place. */
  #lineagesHere(located: readonly LocatedSnapshot[]): ReadonlySet<string> {
    const { profile: here, record } = this.#context;
    const lineages = located
      .filter(({ info }) => info.profile?.path === here.path)
      .map(({ info }) => info.lineage);
    return new Set([...lineages, record.current.lineage ?? '']);
  }

  async #moved(located: readonly LocatedSnapshot[]): Promise<readonly LocatedSnapshot[]> {
    const { profile: here } = this.#context;
    const fromSamePlace = located.filter(({ info }) => info.profile && isSameProfile(info.profile, here));
    if (placesOf(fromSamePlace).size > 1) return []; // two bots with copies in one store: nobody can tell which one this is
    const left = new Map<string, boolean>();
    const moved: LocatedSnapshot[] = [];
    for (const candidate of fromSamePlace) {
      if (!(await this.#isLeft(candidate.info, left))) moved.push(candidate);
    }
    return moved;
  }

  async #isLeft({ profile }: SnapshotInfo, known: Map<string, boolean>): Promise<boolean> {
    if (profile === undefined) return false;
    const left = known.get(profile.path) ?? (await this.isProfileAt(profile));
    known.set(profile.path, left);
    return left;
  }
}

/** Where the logins of these snapshots were last, but for those that have ended. A login that was moved is at one place. */
function placesOf(located: readonly LocatedSnapshot[]): ReadonlySet<string> {
  const last = new Map<string, SnapshotInfo>();
  for (const { info } of located) {
    const known = last.get(info.lineage);
    if (known === undefined || known.createdAt < info.createdAt) last.set(info.lineage, info);
  }
  const living = [...last.values()].filter(({ revoked, held }) => !revoked && held !== true);
  return new Set(living.flatMap(({ profile }) => profile?.path ?? []));
}

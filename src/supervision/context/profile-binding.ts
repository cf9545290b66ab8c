import { join } from 'node:path';
import type { Clock } from '../../clock.js';
import { isUnanswered } from '../../disk-gate/gated-file-system.js';
import type { FileSystem } from '../../file-system.js';
import { isSameProfile } from '../../profile-identity.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { ProfileIdentity, SnapshotInfo } from '../../types.js';
import { endedLineages, type SessionRecordFile } from '../record/session-record.js';
import { isReplaced, type LineagePlaces, placesOfLineages } from './lineage-places.js';

export interface ProfileBindingContext {
  readonly clock: Clock;
  readonly fs: FileSystem;
  readonly profile: ProfileIdentity;
  readonly settlePlace: () => Promise<void>;
  readonly record: SessionRecordFile;
}

/** Snapshots by the question whose login they are. A login belongs to the place where it was last. */
export interface BoundSnapshots {
  /** May be restored here by themselves: this profile's own, or, where there is none, those of a bot that was moved here. */
  readonly ours: readonly LocatedSnapshot[];
  readonly others: readonly LocatedSnapshot[];
  /** Proven to be this profile's own, and nobody else's: all that a `clear()` may delete. */
  readonly proven: readonly LocatedSnapshot[];
  /** Those of the rest that a fresh profile at this place might take for its own: nothing is left where they were made. */
  readonly adoptable: readonly LocatedSnapshot[];
  /** The newest of each login whose profile still lies elsewhere on this machine. */
  readonly living: readonly SnapshotInfo[];
}

interface Elsewhere {
  /** By the lineage. */
  readonly living: ReadonlyMap<string, SnapshotInfo>;
  readonly gone: readonly LineagePlaces[];
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

  /** Sorts them; the disk is asked whether a profile still lies at the other places. */
  async sort(located: readonly LocatedSnapshot[]): Promise<BoundSnapshots> {
    await this.#context.settlePlace();
    const infos = located.map(({ info }) => info);
    const all = placesOfLineages(infos, this.#context.clock.now());
    const { living, gone } = await this.#lastElsewhere(all);
    const own = this.#ownLineages(all, living);
    const foreign = gone.filter(({ lineage }) => !own.has(lineage));
    const moved = own.size > 0 || this.hasPast ? [] : this.#movedHere(foreign);
    const ours = new Set([...own, ...moved]);
    const adoptable = foreign.filter((one) => this.#hasLainHere(one) || this.#isSamePlace(one));
    const only = (isWanted: (lineage: string) => boolean) =>
      located.filter(({ info }) => isWanted(info.lineage));
    return {
      ours: only((lineage) => ours.has(lineage)),
      others: only((lineage) => !ours.has(lineage)),
      proven: only((lineage) => own.has(lineage) && !living.has(lineage)),
      adoptable: only((lineage) => adoptable.some((one) => one.lineage === lineage)),
      living: infos.filter((info) => living.get(info.lineage) === info),
    };
  }

  /** Whether it may be one of {@link BoundSnapshots.ours}; no disk is asked for that. */
  mayBeOurs({ profile, lineage }: SnapshotInfo): boolean {
    const { profile: here, record } = this.#context;
    return profile === undefined || isSameProfile(profile, here) || lineage === record.current.lineage;
  }

  /** Whether it was made where the bot was before, and not at this very place. */
  isMoved(info: SnapshotInfo): boolean {
    return info.profile !== undefined && !this.#isHere(info);
  }

  /**
   * The logins that were last at another place than this: `living` where a profile still lies there, with the newest snapshot
   * of each; `gone` where none does. What a later login has replaced there is neither: it is nowhere any more.
   */
  async #lastElsewhere(all: ReadonlyMap<string, LineagePlaces>): Promise<Elsewhere> {
    const living = new Map<string, SnapshotInfo>();
    const gone: LineagePlaces[] = [];
    const asked = new Map<string, boolean>();
    for (const places of all.values()) {
      const { lineage, last } = places;
      if (last?.profile === undefined || this.#isHere(last)) continue;
      if (isReplaced(places, all.values(), this.#context.clock.now())) continue;
      const { path } = last.profile;
      const isThere = asked.get(path) ?? (await this.#isProfileAt(path));
      asked.set(path, isThere);
      if (isThere) living.set(lineage, last);
      else gone.push(places);
    }
    return { living, gone };
  }

  /**
   * The login that the record names; those that were last at this very place, or that name none (of an old version); what
   * has ended here, as the record remembers; and what any of these has replaced, wherever that was.
   */
  #ownLineages(
    all: ReadonlyMap<string, LineagePlaces>,
    living: ReadonlyMap<string, SnapshotInfo>,
  ): ReadonlySet<string> {
    const { current } = this.#context.record;
    const ended = endedLineages(current).filter((lineage) => !living.has(lineage));
    const isOwn = ({ lineage, last }: LineagePlaces) =>
      last === undefined || this.#isHere(last) || lineage === current.lineage || ended.includes(lineage);
    const own = new Map([...all].filter(([, places]) => isOwn(places)));
    for (let before = -1; before !== own.size; ) {
      before = own.size;
      for (const [lineage, places] of all) {
        if (isReplaced(places, own.values(), this.#context.clock.now())) own.set(lineage, places);
      }
    }
    return new Set(own.keys());
  }

  /**
   * Where nothing is this profile's own, the bot may have been moved or deployed anew. Those count that have lain here
   * before, else those of the same place below the bot's folder; and only where they are all of one place.
   */
  #movedHere(gone: readonly LineagePlaces[]): readonly string[] {
    // What is held is another place's matter: it comes here only by its name.
    const free = gone.filter(({ isHeld }) => !isHeld);
    const returned = free.filter((one) => this.#hasLainHere(one));
    const moved = returned.length > 0 ? returned : free.filter((one) => this.#isSamePlace(one));
    const alive = moved.filter(({ isRevoked }) => !isRevoked);
    if (new Set(alive.map(({ last }) => last?.profile?.path)).size > 1) return []; // nobody can tell which one this is
    return moved.map(({ lineage }) => lineage);
  }

  /** Whether this profile has had a login of its own: then one from elsewhere is not its next. */
  get hasPast(): boolean {
    const { current } = this.#context.record;
    return current.lineage !== undefined || endedLineages(current).length > 0;
  }

  #isHere({ profile }: SnapshotInfo): boolean {
    return profile?.path === this.#context.profile.path;
  }

  #hasLainHere({ newest }: LineagePlaces): boolean {
    return newest.has(this.#context.profile.path);
  }

  #isSamePlace({ last }: LineagePlaces): boolean {
    return last?.profile !== undefined && isSameProfile(last.profile, this.#context.profile);
  }

  /** Whether a profile lies on this machine at the place that is named. */
  #isProfileAt(path: string): Promise<boolean> {
    return this.#context.fs.promises.stat(join(path, 'Default')).then(
      () => true,
      (error: unknown) => isUnanswered(error), // then nobody can tell, and what may be another's is left alone
    );
  }
}

import { join } from 'node:path';
import type { Clock } from '../../clock.js';
import { isUnanswered } from '../../disk-gate/gated-file-system.js';
import type { FileSystem } from '../../file-system.js';
import { isSameProfile } from '../../profile-identity.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { ProfileIdentity, SnapshotInfo } from '../../types.js';
import { endedLineages } from '../record/session-record.js';
import type { SessionRecordFile } from '../record/session-record-file.js';
import type { StorePatience } from './ask-stores.js';
import { isReplaced, type LineagePlaces, placesOfLineages } from './lineage-places.js';
import type { PlaceLogins } from './place-logins.js';

export interface ProfileBindingContext {
  readonly clock: Clock;
  readonly fs: FileSystem;
  readonly profile: ProfileIdentity;
  readonly settlePlace: () => Promise<void>;
  readonly record: SessionRecordFile;
}

/** Snapshots, grouped by whose login they hold. A login belongs to the place where it was last. */
export interface BoundSnapshots {
  /**
   * May be restored here automatically: this profile's own ones or, when there are none, those of a bot that moved
   * here.
   */
  readonly ours: readonly LocatedSnapshot[];
  readonly others: readonly LocatedSnapshot[];
  /** Those of {@link ours} whose login was last at this place, as far as the snapshots tell. */
  readonly lastHere: readonly LocatedSnapshot[];
  /** Proven to be of this profile and no other. Only these may be deleted by `clear()`. */
  readonly proven: readonly LocatedSnapshot[];
  /**
   * Other snapshots that a fresh profile here might take as its own, because nothing is left at the place where they
   * were made.
   */
  readonly adoptable: readonly LocatedSnapshot[];
  /** The newest snapshot of each login whose profile still exists elsewhere on this machine. */
  readonly living: readonly SnapshotInfo[];
  /**
   * The paths of the profiles whose place decides which of {@link ours} is restored automatically, the first one of which
   * anything is known: this one and, for a bot that moved, where it was before.
   */
  readonly decidingPlaces: readonly string[];
}

interface Elsewhere {
  /** The newest snapshot of each such login, by lineage. */
  readonly living: ReadonlyMap<string, SnapshotInfo>;
  readonly gone: readonly LineagePlaces[];
}

/**
 * Tells which snapshots of the client id belong to this profile. Several accounts may use one id by mistake; then
 * only the profile's place distinguishes them.
 */
export class ProfileBinding {
  readonly #context: ProfileBindingContext;
  readonly #places: Pick<PlaceLogins, 'find'>;

  constructor(context: ProfileBindingContext, { places }: { readonly places: Pick<PlaceLogins, 'find'> }) {
    this.#context = context;
    this.#places = places;
  }

  /** Groups the snapshots. Checks on the disk whether a profile still exists at the other places. */
  async sort(located: readonly LocatedSnapshot[], patience?: StorePatience): Promise<BoundSnapshots> {
    await this.#context.settlePlace();
    const infos = located.map(({ info }) => info);
    const all = placesOfLineages(infos, this.#context.clock.now());
    const { living, gone } = await this.#lastElsewhere(all);
    const noted = await this.#places.find([this.#context.profile.path], patience);
    const own = this.#ownLineages(all, living, noted?.lineage);
    const foreign = gone.filter(({ lineage }) => !own.has(lineage));
    const isNew = own.size === 0 && !this.hasPast;
    const moved = isNew ? this.#movedHere(foreign) : this.#successors(all, foreign);
    const ours = new Set([...own, ...moved]);
    const here = this.#context.profile.path;
    const before = moved.slice(0, 1).flatMap((lineage) => all.get(lineage)?.last?.profile?.path ?? []);
    const adoptable = foreign.filter((one) => this.#hasLainHere(one) || this.#isSamePlace(one));
    const only = (isWanted: (lineage: string) => boolean) =>
      located.filter(({ info }) => isWanted(info.lineage));
    return {
      ours: only((lineage) => ours.has(lineage)),
      others: only((lineage) => !ours.has(lineage)),
      lastHere: only((lineage) => ours.has(lineage) && this.#wasLastHere(all.get(lineage))),
      proven: only((lineage) => own.has(lineage) && !living.has(lineage)),
      adoptable: only((lineage) => adoptable.some((one) => one.lineage === lineage)),
      living: infos.filter((info) => living.get(info.lineage) === info),
      decidingPlaces: [...(isNew ? [here, ...before] : before.length > 0 ? before : [here])],
    };
  }

  /** Whether the snapshot may be in {@link BoundSnapshots.ours}; does not check the disk. */
  mayBeOurs({ profile, lineage }: SnapshotInfo): boolean {
    const { profile: here, record } = this.#context;
    return profile === undefined || isSameProfile(profile, here) || lineage === record.current.lineage;
  }

  /** Whether the snapshot was made at the bot's previous place and not at this one. */
  isMoved(info: SnapshotInfo): boolean {
    return info.profile !== undefined && !this.#isHere(info);
  }

  /**
   * Finds the logins whose last place is another one. `living`: a profile still exists there, with the newest
   * snapshot of each. `gone`: no profile exists there. A login that a later one has replaced there is in neither
   * group, since it no longer exists anywhere.
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
   * This profile's own logins:
   * - the one that the record names
   * - the one that the stores note for this place, such as one that a person has restored here
   * - those whose last place is this one, or that name no place (of an old version)
   * - those that ended here, as the record remembers
   * - those that any of these has replaced, at whatever place
   */
  #ownLineages(
    all: ReadonlyMap<string, LineagePlaces>,
    living: ReadonlyMap<string, SnapshotInfo>,
    noted: string | undefined,
  ): ReadonlySet<string> {
    const { current } = this.#context.record;
    const ended = endedLineages(current).filter((lineage) => !living.has(lineage));
    const named = [...ended, ...(noted === undefined || living.has(noted) ? [] : [noted])];
    const isOwn = ({ lineage, last }: LineagePlaces) =>
      last === undefined || this.#isHere(last) || lineage === current.lineage || named.includes(lineage);
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
   * Finds the logins of a bot that was moved or deployed anew, when this profile has none of its own. Prefers logins
   * that were at this place before; otherwise takes those with the same place relative to the bot's folder. All must
   * come from one place.
   */
  #movedHere(gone: readonly LineagePlaces[]): readonly string[] {
    // A held login belongs to another place; it comes here only when somebody names it.
    const free = gone.filter(({ isHeld }) => !isHeld);
    const returned = free.filter((one) => this.#hasLainHere(one));
    const moved = returned.length > 0 ? returned : free.filter((one) => this.#isSamePlace(one));
    const alive = moved.filter(({ isRevoked }) => !isRevoked);
    if (new Set(alive.map(({ last }) => last?.profile?.path)).size > 1) return []; // unclear which one is ours
    return moved.map(({ lineage }) => lineage);
  }

  /**
   * Finds the logins that came after the one in place, at the place to which the bot had moved with it; there it was logged
   * out. The bot is back in its old folder, where the dead login still lies.
   */
  #successors(all: ReadonlyMap<string, LineagePlaces>, gone: readonly LineagePlaces[]): readonly string[] {
    const inPlace = all.get(this.#context.record.current.lineage ?? '');
    if (inPlace?.isRevoked !== true) return [];
    const isAfter = (one: LineagePlaces) => isReplaced(inPlace, [one], this.#context.clock.now());
    return gone.filter((one) => !one.isHeld && isAfter(one)).map(({ lineage }) => lineage);
  }

  /** Whether this profile has had its own login. Then a login from elsewhere does not follow it. */
  get hasPast(): boolean {
    const { current } = this.#context.record;
    return current.lineage !== undefined || endedLineages(current).length > 0;
  }

  /** Whether this place is known to have had a login and to have none now, as after a `clear()`. */
  get isCleared(): boolean {
    const { lineage, placeLogin } = this.#context.record.current;
    return lineage === undefined && placeLogin !== undefined && placeLogin.lineage === undefined;
  }

  #isHere({ profile }: SnapshotInfo): boolean {
    return profile?.path === this.#context.profile.path;
  }

  #wasLastHere(places: LineagePlaces | undefined): boolean {
    return places?.last === undefined || this.#isHere(places.last);
  }

  #hasLainHere({ newest }: LineagePlaces): boolean {
    return newest.has(this.#context.profile.path);
  }

  #isSamePlace({ last }: LineagePlaces): boolean {
    return last?.profile !== undefined && isSameProfile(last.profile, this.#context.profile);
  }

  /** Whether a profile exists at this path on this machine. */
  #isProfileAt(path: string): Promise<boolean> {
    return this.#context.fs.promises.stat(join(path, 'Default')).then(
      () => true,
      (error: unknown) => isUnanswered(error), // unknown, so what may belong to another bot is left alone
    );
  }
}

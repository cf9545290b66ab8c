import { ConfigurationError, describeError, SnapshotNotFoundError, TimeoutError } from '../../errors.js';
import { unpackError } from '../../portable-error.js';
import { captureTimeAfter, newestBelievableFirst } from '../../snapshot/capture-time.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import { isThreadFault } from '../../thread-fault.js';
import type { SnapshotInfo } from '../../types.js';
import { importsBeside, importsIn } from '../record/import-marks.js';
import { answered, askStores, failed, namedFault, StorePatience } from './ask-stores.js';
import { PlaceLogins } from './place-logins.js';
import { type BoundSnapshots, ProfileBinding } from './profile-binding.js';
import { restoreCandidates } from './restore-candidates.js';
import { allRepositories, type SessionContext } from './session-context.js';

/** The snapshots of the client id that were made for another profile. */
export interface SnapshotsOfOthers {
  /** Whether this profile has snapshots, too, or has had a login that was never saved. */
  readonly hasOurs: boolean;
  readonly newest: SnapshotInfo | undefined;
  /** The newest snapshot of a profile that still exists on this machine and so is another bot's. Absent after a `clear()` here. */
  readonly owned: SnapshotInfo | undefined;
}

/** A snapshot that its store lists and does not deliver. */
export interface WithheldSnapshot {
  readonly id: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly repository: SnapshotRepository;
  readonly error: Error;
}

/** Options of the search for snapshots to restore. */
export interface CandidateOptions {
  readonly patience?: StorePatience | undefined;
  readonly isAskedFor?: boolean;
}

/** The snapshots in all repositories together. */
export class SessionSnapshots {
  readonly #context: SessionContext;
  readonly #binding: ProfileBinding;
  readonly places: PlaceLogins;
  /** Time of the last capture begun here, ms since 1970. */
  #given: number | undefined;
  /** The last known content of each store. */
  readonly #known = new Map<SnapshotRepository, readonly SnapshotInfo[]>();
  /** Stores that did not answer the last time. */
  readonly #silent = new Map<SnapshotRepository, unknown>();
  /** Those that were reported. Each is reported once until it answers again. */
  readonly #reported = new Set<SnapshotRepository>();

  constructor(context: SessionContext) {
    this.#context = context;
    this.places = new PlaceLogins(context);
    this.#binding = new ProfileBinding(context, this);
  }

  /** Whether a store did not answer the last time. Its content is then unknown. */
  get hasSilentStore(): boolean {
    return this.#silent.size > 0;
  }

  /** Why the stores that did not answer the last time did not. */
  get silence(): readonly { readonly repository: SnapshotRepository; readonly error: unknown }[] {
    return [...this.#silent].map(([repository, error]) => ({ repository, error }));
  }

  /** Whether a store has snapshots that nobody knows: it was silent the last time, or does not deliver them. */
  async mayHaveMore(patience?: StorePatience): Promise<boolean> {
    return this.hasSilentStore || (await this.withheld(patience)).length > 0;
  }

  /**
   * What the stores list and do not deliver at the moment, such as a file under a bad sector. Nobody knows whose login it
   * holds, or whether it is sound.
   */
  async withheld(patience?: StorePatience): Promise<readonly WithheldSnapshot[]> {
    const ask = (repository: SnapshotRepository) => repository.unreadable();
    const answers = await askStores(allRepositories(this.#context), ask, patience);
    return answered(answers).flatMap(({ repository, value }) =>
      value.flatMap(({ id, createdAt, fault }) =>
        fault === undefined ? [] : [{ id, createdAt, repository, error: unpackError(fault) }],
      ),
    );
  }

  /**
   * Every complete snapshot, newest capture first. Those with an implausible time come last.
   *
   * @param patience a store that does not answer within it counts as failed; default: no limit
   * @throws StoreError when no store answers: a store that is down never looks like a missing session.
   */
  async list(patience?: StorePatience): Promise<readonly LocatedSnapshot[]> {
    const { located, failures } = await this.#ask(patience);
    if (located.length === 0 && failures.length > 0) throw failures[0];
    return located;
  }

  /** Every store is asked anew, also for what this process knows as owner of the session. Call when a person asks, or at a start. */
  lookAgain(): void {
    for (const repository of allRepositories(this.#context)) repository.lookAgain();
  }

  /** Like {@link list}, but asks only these stores. For the others, the last known content counts. */
  async listAmong(repositories: ReadonlySet<SnapshotRepository>): Promise<readonly LocatedSnapshot[]> {
    const { located, failures } = await this.#ask(undefined, repositories);
    if (located.length === 0 && failures.length > 0) throw failures[0];
    const others = [...this.#known].filter(([repository]) => !repositories.has(repository));
    return [
      ...located,
      ...others.flatMap(([repository, infos]) => infos.map((info) => ({ info, repository }))),
    ];
  }

  /**
   * The snapshots of this profile that may be restored automatically, best first; see {@link restoreCandidates}.
   *
   * @param options `patience`: as in {@link list}. `isAskedFor`: whether a person asks, so that a login whose profile
   * was removed may be restored, too
   */
  async candidates(
    lineage: string | undefined,
    { patience, isAskedFor = false }: CandidateOptions = {},
  ): Promise<readonly LocatedSnapshot[]> {
    const { ours: located, decidingPlaces } = await this.sorted(patience);
    const { revokedLineages, ...known } = this.#context.record.current;
    const isUnasked = lineage === undefined && !isAskedFor;
    const entitled = isUnasked ? await this.places.find(decidingPlaces, patience) : undefined;
    if (entitled !== undefined && entitled.lineage === undefined) return []; // the last login here has ended
    const infos = restoreCandidates(
      located.map(({ info }) => info),
      {
        ...known,
        lineage: lineage ?? entitled?.lineage,
        inPlace: known.lineage,
        revokedLineages: [...revokedLineages, ...(await this.#markedAsRevoked(patience))],
        isAskedFor,
        now: this.#context.clock.now(),
      },
    );
    return infos.flatMap((info) => located.find((candidate) => candidate.info === info) ?? []);
  }

  /** The snapshots of the client id that are not this profile's; see {@link SnapshotsOfOthers}. */
  async ofOtherProfiles(patience?: StorePatience): Promise<SnapshotsOfOthers> {
    const { ours, others, living } = await this.sorted(patience);
    const owned = living.find(({ lineage }) => others.some(({ info }) => info.lineage === lineage));
    const hasOurs = ours.length > 0 || this.#binding.hasPast;
    return { hasOurs, newest: others[0]?.info, owned: this.#binding.isCleared ? undefined : owned };
  }

  /** All snapshots, grouped by whose login they hold. */
  async sorted(patience?: StorePatience): Promise<BoundSnapshots> {
    return this.#binding.sort(await this.list(patience), patience);
  }

  /** Whether a store says that this login was logged out. */
  async isRevoked(lineage: string, patience?: StorePatience): Promise<boolean> {
    const marked = await this.#markedAsRevoked(patience);
    return marked.includes(lineage);
  }

  /** Whether a store says that `clear()` has ended this login. */
  async isCleared(lineage: string, patience?: StorePatience): Promise<boolean> {
    const ask = (repository: SnapshotRepository) => repository.clearedLineages();
    const answers = await askStores(allRepositories(this.#context), ask, patience);
    return answered(answers).some(({ value }) => value.has(lineage));
  }

  /** Whether the snapshot was made at the bot's previous place and not at this one. */
  isMoved(info: SnapshotInfo): boolean {
    return this.#binding.isMoved(info);
  }

  /** @throws SnapshotNotFoundError; StoreError when a store that may have it does not answer */
  async find(id: string): Promise<LocatedSnapshot> {
    const { located, failures } = await this.#ask();
    // The copies of one capture have a different id in each store, so the first match is the only one.
    const found = located.find(({ info }) => info.id === id);
    if (found) return found;
    if (failures.length > 0) throw failures[0];
    const known = located.length === 0 ? 'there is none' : `there are ${located.length}, see listSnapshots()`;
    throw new SnapshotNotFoundError(`no snapshot has the id ${JSON.stringify(id.slice(0, 80))}; ${known}`);
  }

  /**
   * The time for a capture that begins now, ISO 8601. It is the wall clock, but always later than every snapshot that
   * may be this profile's and has a plausible time. So the order stays right even when the clock was set back or
   * another machine's clock was ahead.
   */
  async nextCaptureTime(): Promise<string> {
    const time = await this.timeAfterAll();
    this.#given = Date.parse(time);
    return time;
  }

  /** Like {@link nextCaptureTime}, for something other than a capture. */
  async timeAfterAll(): Promise<string> {
    if (this.#given === undefined && this.#known.size === 0) await this.#askSoon();
    const known = [...this.#known.values()].flat().filter((info) => this.#binding.mayBeOurs(info));
    const times = known.map(({ createdAt }) => Date.parse(createdAt));
    return new Date(captureTimeAfter(this.#context.clock.now(), [...times, this.#given ?? 0])).toISOString();
  }

  /**
   * How many runs the lineage has had, according to its snapshots. For a silent store, its last known snapshots
   * count.
   */
  async lastRun(lineage: string, patience?: StorePatience): Promise<number> {
    const { failures } = await this.#ask(patience);
    const infos = [...this.#known.values()].flat();
    if (infos.length === 0 && failures.length > 0) throw failures[0];
    return Math.max(0, ...infos.filter((info) => info.lineage === lineage).map(({ run }) => run));
  }

  /**
   * The earlier imports that a new snapshot of `lineage` records. They come from the record, from the last known
   * content of the stores and from `others`. So they are known as long as any snapshot is left.
   */
  importsBefore(
    lineage: string,
    others: readonly Pick<SnapshotInfo, 'lineage' | 'imported'>[] = [],
  ): { readonly imported?: readonly string[] } {
    const snapshots = [...[...this.#known.values()].flat(), ...others];
    return importsBeside(lineage, importsIn(this.#context.record.current, snapshots));
  }

  /** Call after a removal, so that these snapshots are not taken for known ones. */
  noteRemoved(repository: SnapshotRepository, ids: readonly string[]): void {
    const left = this.#known.get(repository)?.filter(({ id }) => !ids.includes(id));
    if (left !== undefined) this.#known.set(repository, left);
  }

  /** Call after a `clear()`: drops the last known content of the stores. */
  forget(): void {
    this.#known.clear();
  }

  async #askSoon(): Promise<void> {
    const patience = StorePatience.brief(this.#context.clock);
    await this.list(patience).catch(() => undefined);
  }

  // A revocation known to one store applies to the copies in all stores, even if that store has no copy itself.
  async #markedAsRevoked(patience?: StorePatience): Promise<readonly string[]> {
    const ask = (repository: SnapshotRepository) => repository.revokedLineages();
    const answers = await askStores(allRepositories(this.#context), ask, patience);
    return answered(answers).flatMap(({ value }) => [...value]);
  }

  async #ask(
    patience?: StorePatience,
    repositories: Iterable<SnapshotRepository> = allRepositories(this.#context),
  ): Promise<{ located: readonly LocatedSnapshot[]; failures: readonly unknown[] }> {
    const list = async (repository: SnapshotRepository) => {
      const infos = await repository.list();
      this.#known.set(repository, infos); // also when nobody waits for this store any more
      this.#silent.delete(repository);
      this.#reported.delete(repository);
      return infos;
    };
    const answers = await askStores(repositories, list, patience);
    for (const { repository, error } of failed(answers)) {
      this.#silent.set(repository, error);
      const isOnlySlow = patience?.isBrief === true && error instanceof TimeoutError;
      if (!isOnlySlow) this.#report(repository, error);
    }
    const located = answered(answers).flatMap(({ repository, value }) =>
      value.map((info) => ({ info, repository })),
    );
    const newestFirst = newestBelievableFirst(this.#context.clock.now());
    located.sort((a, b) => newestFirst(a.info, b.info));
    return { located, failures: failed(answers).map(namedFault) };
  }

  #report(repository: SnapshotRepository, error: unknown): void {
    if (this.#reported.has(repository)) return;
    this.#reported.add(repository);
    this.#context.warn(
      isThreadFault(error) ? 'worker-thread-stopped' : 'store-unreachable', // nothing is known against the store then
      `the store ${repository.store.name} can't be listed: ${describeError(error).message}`,
    );
  }
}

/** A hash that is equal for equal files; `undefined` when the snapshot is no longer readable. */
export async function contentOf({ info, repository }: LocatedSnapshot): Promise<string | undefined> {
  const manifest = await repository.manifest(info.id).catch(() => undefined);
  return manifest?.contentDigest;
}

/** The error for two bots with one client id: each would get, overwrite or delete the other's login. */
export function sharedClientId({ id, clientId, profile }: SnapshotInfo): ConfigurationError {
  return new ConfigurationError(
    `clientId: the snapshots of '${clientId}' are the login of another profile, which is still there: ${profile?.path}. ` +
      'If that is another account, give this bot a clientId of its own (`new LocalAuth({ clientId })`), or a sessionPath and ' +
      `a backupPath. If the bot was moved here, move that folder, too, or call restore('${id}') once.`,
  );
}

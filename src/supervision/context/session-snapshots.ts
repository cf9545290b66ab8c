import { ConfigurationError, describeError, SnapshotNotFoundError } from '../../errors.js';
import { captureTimeAfter, newestBelievableFirst } from '../../snapshot/capture-time.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import type { SnapshotInfo } from '../../types.js';
import { importsBeside, importsIn } from '../record/import-marks.js';
import { answered, askStores, failed, StorePatience } from './ask-stores.js';
import { type BoundSnapshots, ProfileBinding } from './profile-binding.js';
import { restoreCandidates } from './restore-candidates.js';
import { allRepositories, type SessionContext } from './session-context.js';

/** Snapshots of the client id that were made for another profile than this one. */
export interface SnapshotsOfOthers {
  /** Whether there are such of this profile, too, or it has had a login that nobody saved. */
  readonly hasOurs: boolean;
  readonly newest: SnapshotInfo | undefined;
  /** The newest of a profile that still lies on this machine: another bot's. */
  readonly owned: SnapshotInfo | undefined;
}
/** How long a copy that is to be taken now waits for stores that it does not go into, ms. */
export const OTHERS_PATIENCE_MS = 100;

/** Of a search for what may be restored. */
export interface CandidateOptions {
  readonly patience?: StorePatience | undefined;
  readonly isAskedFor?: boolean;
}

/** What all repositories together hold. */
export class SessionSnapshots {
  readonly #context: SessionContext;
  readonly #binding: ProfileBinding;
  /** Of the last capture that began here, ms since 1970. */
  #given: number | undefined;
  /** What each store had when it last answered. */
  readonly #known = new Map<SnapshotRepository, readonly SnapshotInfo[]>();
  /** Stores that did not answer the last time: told once for as long as that lasts. */
  readonly #silent = new Set<SnapshotRepository>();

  constructor(context: SessionContext) {
    this.#context = context;
    this.#binding = new ProfileBinding(context);
  }

  /** Whether a store did not answer when it was last asked: what it may hold is not known then. */
  get hasSilentStore(): boolean {
    return this.#silent.size > 0;
  }

  /**
   * Every whole snapshot, newest capture first; those of a time that can't be believed come last.
   *
   * @param patience a store that has not answered by then counts as one that does not answer; default: as long as it
   * takes
   * @throws StoreError when no store answers: a store that is down never looks like a missing session.
   */
  async list(patience?: StorePatience): Promise<readonly LocatedSnapshot[]> {
    const { located, failures } = await this.#ask(patience);
    if (located.length === 0 && failures.length > 0) throw failures[0];
    return located;
  }

  /**
   * Those of this profile that may be restored by themselves, best first; see {@link restoreCandidates}.
   *
   * @param options `patience`: as in {@link list}. `isAskedFor`: whether a person asks, so that a login whose profile was
   * removed may come back
   */
  async candidates(
    lineage: string | undefined,
    { patience, isAskedFor = false }: CandidateOptions = {},
  ): Promise<readonly LocatedSnapshot[]> {
    const { ours: located } = await this.sorted(patience);
    const { revokedLineages, ...known } = this.#context.record.current;
    const infos = restoreCandidates(
      located.map(({ info }) => info),
      {
        ...known,
        lineage,
        revokedLineages: [...revokedLineages, ...(await this.#markedAsRevoked(patience))],
        isAskedFor,
        now: this.#context.clock.now(),
      },
    );
    return infos.flatMap((info) => located.find((candidate) => candidate.info === info) ?? []);
  }

  /** What the client id has besides the snapshots of this profile; see {@link SnapshotsOfOthers}. */
  async ofOtherProfiles(patience?: StorePatience): Promise<SnapshotsOfOthers> {
    const { ours, others, living } = await this.sorted(patience);
    const owned = living.find(({ lineage }) => others.some(({ info }) => info.lineage === lineage));
    return { hasOurs: ours.length > 0 || this.#binding.hasPast, newest: others[0]?.info, owned };
  }

  /** All of them, by the question whose login they are. */
  async sorted(patience?: StorePatience): Promise<BoundSnapshots> {
    return this.#binding.sort(await this.list(patience));
  }

  /** Whether a store has it that this login was logged out. */
  async isRevoked(lineage: string, patience?: StorePatience): Promise<boolean> {
    const marked = await this.#markedAsRevoked(patience);
    return marked.includes(lineage);
  }

  /** Whether it was made where the bot was before, and not at this very place. */
  isMoved(info: SnapshotInfo): boolean {
    return this.#binding.isMoved(info);
  }

  /** @throws SnapshotNotFoundError; StoreError when a store that may have it does not answer */
  async find(id: string): Promise<LocatedSnapshot> {
    const { located, failures } = await this.#ask();
    // The same capture can be in two stores only under two ids; the first match is the only one.
    const found = located.find(({ info }) => info.id === id);
    if (found) return found;
    if (failures.length > 0) throw failures[0];
    const known = located.length === 0 ? 'there is none' : `there are ${located.length}, see listSnapshots()`;
    throw new SnapshotNotFoundError(`no snapshot has the id ${JSON.stringify(id.slice(0, 80))}; ${known}`);
  }

  /**
   * The time of a capture that begins now, ISO 8601: the wall clock, but later than every snapshot that may be this
   * profile's and whose time can be believed. Which is newer must stay true when the clock was set back, or when another
   * machine's was ahead.
   */
  async nextCaptureTime(): Promise<string> {
    if (this.#given === undefined && this.#known.size === 0) await this.#askSoon();
    const known = [...this.#known.values()].flat().filter((info) => this.#binding.mayBeOurs(info));
    const times = known.map(({ createdAt }) => Date.parse(createdAt));
    this.#given = captureTimeAfter(this.#context.clock.now(), [...times, this.#given ?? 0]);
    return new Date(this.#given).toISOString();
  }

  /** How many runs the lineage has had, as far as its snapshots tell; of a store that is silent those it had before. */
  async lastRun(lineage: string, patience?: StorePatience): Promise<number> {
    const { failures } = await this.#ask(patience);
    const infos = [...this.#known.values()].flat();
    if (infos.length === 0 && failures.length > 0) throw failures[0];
    return Math.max(0, ...infos.filter((info) => info.lineage === lineage).map(({ run }) => run));
  }

  /**
   * What a new snapshot of `lineage` is to remember of earlier imports, by the record, by what the stores had when they last
   * answered, and by `others`. So it is known for as long as any snapshot is left.
   */
  importsBefore(
    lineage: string,
    others: readonly Pick<SnapshotInfo, 'lineage' | 'imported'>[] = [],
  ): { readonly imported?: readonly string[] } {
    const snapshots = [...[...this.#known.values()].flat(), ...others];
    return importsBeside(lineage, importsIn(this.#context.record.current, snapshots));
  }

  /** After a `clear()`: what the stores had does not count any more. */
  forget(): void {
    this.#known.clear();
  }

  async #askSoon(): Promise<void> {
    const patience = new StorePatience(this.#context.clock, OTHERS_PATIENCE_MS);
    await this.list(patience).catch(() => undefined);
  }

  // What one store knows of it holds for the copies in all, also where that one has no copy itself.
  async #markedAsRevoked(patience?: StorePatience): Promise<readonly string[]> {
    const ask = (repository: SnapshotRepository) => repository.revokedLineages();
    const answers = await askStores(allRepositories(this.#context), ask, patience);
    return answered(answers).flatMap(({ value }) => [...value]);
  }

  async #ask(
    patience?: StorePatience,
  ): Promise<{ located: readonly LocatedSnapshot[]; failures: readonly unknown[] }> {
    const repositories = allRepositories(this.#context);
    const list = async (repository: SnapshotRepository) => {
      const infos = await repository.list();
      this.#known.set(repository, infos); // also of a store that was waited for no more
      this.#silent.delete(repository);
      return infos;
    };
    const answers = await askStores(repositories, list, patience);
    for (const { repository, error } of failed(answers)) this.#tell(repository, error);
    const located = answered(answers).flatMap(({ repository, value }) =>
      value.map((info) => ({ info, repository })),
    );
    const newestFirst = newestBelievableFirst(this.#context.clock.now());
    located.sort((a, b) => newestFirst(a.info, b.info));
    return { located, failures: failed(answers).map(({ error }) => error) };
  }

  #tell(repository: SnapshotRepository, error: unknown): void {
    if (this.#silent.has(repository)) return;
    this.#silent.add(repository);
    this.#context.warn(
      'store-unreachable',
      `the store ${repository.store.name} can't be listed: ${describeError(error).message}`,
    );
  }
}

/** Equal for equal files; `undefined` when the snapshot can't be read any more. */
export async function contentOf({ info, repository }: LocatedSnapshot): Promise<string | undefined> {
  const manifest = await repository.manifest(info.id).catch(() => undefined);
  return manifest?.contentDigest;
}

/** Two bots have one client id, and each would get, overwrite or delete what is the other's. */
export function sharedClientId({ id, clientId, profile }: SnapshotInfo): ConfigurationError {
  return new ConfigurationError(
    `clientId: the snapshots of '${clientId}' are the login of another profile, which is still there: ${profile?.path}. ` +
      'If that is another account, give this bot a clientId of its own (`new LocalAuth({ clientId })`), or a sessionPath and ' +
      `a backupPath. If the bot was moved here, move that folder, too, or call restore('${id}') once.`,
  );
}

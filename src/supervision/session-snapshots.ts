import { ConfigurationError, describeError, SnapshotNotFoundError } from '../errors.js';
import type { SnapshotRepository } from '../snapshot/repository.js';
import type { SnapshotInfo } from '../types.js';
import { ProfileBinding } from './profile-binding.js';
import { restoreCandidates } from './restore-candidates.js';
import { allRepositories, type SessionContext } from './session-context.js';

/** A snapshot and where it is. */
export interface LocatedSnapshot {
  readonly info: SnapshotInfo;
  readonly repository: SnapshotRepository;
}

/** Snapshots of the client id that were made for another profile than this one. */
export interface SnapshotsOfOthers {
  /** Whether there are such of this profile, too. */
  readonly hasOurs: boolean;
  readonly newest: SnapshotInfo | undefined;
  /** The newest of a profile that still lies on this machine: another bot's. */
  readonly owned: SnapshotInfo | undefined;
}

/** What all repositories together hold. */
export class SessionSnapshots {
  readonly #context: SessionContext;
  readonly #binding: ProfileBinding;
  /** Of the last capture known, ms since 1970. */
  #latest: number | undefined;

  constructor(context: SessionContext) {
    this.#context = context;
    this.#binding = new ProfileBinding(context);
  }

  /**
   * Every whole snapshot, newest capture first.
   *
   * @throws StoreError when no store answers: a store that is down never looks like a missing session.
   */
  async list(): Promise<readonly LocatedSnapshot[]> {
    const { located, failures } = await this.#ask();
    if (located.length === 0 && failures.length > 0) throw failures[0];
    return located;
  }

  /**
   * Those of this profile that may be restored by themselves, best first; see {@link restoreCandidates}.
   *
   * @param options `isAskedFor`: whether a person asks, so that a login whose profile was removed may come back
   */
  async candidates(
    lineage: string | undefined,
    { isAskedFor = false } = {},
  ): Promise<readonly LocatedSnapshot[]> {
    const { ours: located } = await this.#binding.sort(await this.list());
    const { revokedLineages, rejectedSnapshots, rejectedLineages, heldLineages } =
      this.#context.record.current;
    const infos = restoreCandidates(
      located.map(({ info }) => info),
      { lineage, revokedLineages, rejectedSnapshots, rejectedLineages, heldLineages, isAskedFor },
    );
    return infos.flatMap((info) => located.find((candidate) => candidate.info === info) ?? []);
  }

  /** What the client id has besides the snapshots of this profile; see {@link SnapshotsOfOthers}. */
  async ofOtherProfiles(): Promise<SnapshotsOfOthers> {
    const { ours, others } = await this.#binding.sort(await this.list());
    let owned: SnapshotInfo | undefined;
    for (const { info } of others) {
      if (info.profile && (await this.#binding.isProfileAt(info.profile))) owned ??= info;
    }
    return { hasOurs: ours.length > 0, newest: others[0]?.info, owned };
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
   * The time of a capture that begins now, ISO 8601: the wall clock, but always later than every snapshot there is.
   * Which is newer must stay true when the clock was set back, or when another machine's was ahead.
   */
  async nextCaptureTime(): Promise<string> {
    this.#latest ??= await this.#latestCapture().catch(() => undefined);
    this.#latest = Math.max(this.#context.clock.now(), (this.#latest ?? 0) + 1);
    return new Date(this.#latest).toISOString();
  }

  /** How many runs the lineage has had, as far as its snapshots tell. */
  async lastRun(lineage: string): Promise<number> {
    const located = await this.list();
    return Math.max(0, ...located.filter(({ info }) => info.lineage === lineage).map(({ info }) => info.run));
  }

  async #latestCapture(): Promise<number> {
    const [newest] = await this.list();
    return newest === undefined ? 0 : Date.parse(newest.info.createdAt);
  }

  async #ask(): Promise<{ located: readonly LocatedSnapshot[]; failures: readonly unknown[] }> {
    const located: LocatedSnapshot[] = [];
    const failures: unknown[] = [];
    for (const repository of allRepositories(this.#context)) {
      try {
        for (const info of await repository.list()) located.push({ info, repository });
      } catch (error) {
        failures.push(error);
        this.#context.warn(
          'store-unreachable',
          `the store ${repository.store.name} can't be listed: ${describeError(error).message}`,
        );
      }
    }
    const newestFirst = (a: LocatedSnapshot, b: LocatedSnapshot) =>
      a.info.createdAt < b.info.createdAt ? 1 : a.info.createdAt > b.info.createdAt ? -1 : 0;
    return { located: located.sort(newestFirst), failures };
  }
}

/** Two bots have one client id, and each would get, overwrite or delete what is the other's. */
export function sharedClientId({ id, clientId, profile }: SnapshotInfo): ConfigurationError {
  return new ConfigurationError(
    `clientId: the snapshots of '${clientId}' are the login of another profile, which is still there: ${profile?.path}. ` +
      'If that is another account, give this bot a clientId of its own (`new LocalAuth({ clientId })`), or a sessionPath and ' +
      `a backupPath. If the bot was moved here, move that folder, too, or call restore('${id}') once.`,
  );
}

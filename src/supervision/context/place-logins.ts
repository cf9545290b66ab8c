import { describeError } from '../../errors.js';
import { placeNameOf } from '../../profile-identity.js';
import type { PlaceLogin, SnapshotRepository } from '../../snapshot/repository.js';
import { answered, askStores, failed, StorePatience } from './ask-stores.js';
import { allRepositories, type SessionContext } from './session-context.js';

/** How long a silent store may delay a login, or the end of one, ms. */
const NOTE_PATIENCE_MS = 5_000;

/**
 * Which login belongs to the place of this profile. The record beside the profile tells it, and every store that has
 * anything of this client: a disk may be lost, or set back to an older state, and a store may be away for a while. The
 * latest of what they tell counts. Only that login is restored here automatically.
 */
export class PlaceLogins {
  readonly #context: SessionContext;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /**
   * Returns the newest known login of the first path in `paths` for which a login was ever recorded. A login that `clear()`
   * has ended is skipped: a store that still names it was not reachable then, or the clock was wrong.
   *
   * @param paths paths of profiles; this profile's own path stands for its own place
   */
  async find(paths: readonly string[], patience?: StorePatience): Promise<PlaceLogin | undefined> {
    const told = await this.#told(patience);
    const cleared = await this.#cleared(patience);
    for (const path of paths) {
      const place = placeNameOf({ path });
      const [latest, ...older] = told.filter((one) => one.place === place).sort(latestFirst);
      if (latest === undefined) continue;
      const upToDate = [latest, ...older].find(
        ({ lineage }) => lineage === undefined || !cleared.has(lineage),
      );
      return upToDate ?? { place, since: latest.since };
    }
    return undefined;
  }

  /**
   * Call while this login is in use here: it was scanned, restored by a person, or has become ready. What was noted of
   * another login is out of date then, whatever its time says. Never rejects: a store that fails is told at the next call.
   *
   * @returns whether every store has answered. One that has not may know of a later login at this place, so what it says
   * is not overruled later
   */
  async claim(
    lineage: string,
    patience = this.#patience(),
    repositories: readonly SnapshotRepository[] = allRepositories(this.#context),
  ): Promise<boolean> {
    const { record, profile, logger } = this.#context;
    const { told, isComplete } = await this.#toldBy(repositories, patience);
    const [latest] = told.filter(({ place }) => place === placeNameOf(profile)).sort(latestFirst);
    const noted = record.current.placeLogin;
    const isKnown = latest?.lineage === lineage;
    const isLater = latest === undefined || noted === undefined || noted.since > latest.since;
    const isSame = isKnown && noted?.since === latest.since;
    if (noted?.lineage !== lineage || !(isLater || isSame)) {
      try {
        await record.update({ placeLogin: { lineage, since: isKnown ? latest.since : this.#after(latest) } });
      } catch (error) {
        logger.warn('the login of this place could not be noted', { error: describeError(error) });
      }
    }
    await this.share(patience, repositories);
    return isComplete;
  }

  /**
   * Notes in the stores what the record tells. A store that has nothing of this client has nothing to protect, and gets
   * no folder. Never rejects: a store that fails is told at the next call.
   */
  async share(
    patience = this.#patience(),
    repositories: readonly SnapshotRepository[] = allRepositories(this.#context),
  ): Promise<void> {
    const { placeLogin } = this.#context.record.current;
    if (placeLogin !== undefined) await this.#put(placeLogin, patience, repositories);
  }

  /** Notes in the stores that no login belongs here any more, for `clear()`, which deletes the record. Never rejects. */
  async end(): Promise<void> {
    const patience = this.#patience();
    const here = placeNameOf(this.#context.profile);
    const [latest] = (await this.#told(patience)).filter(({ place }) => place === here).sort(latestFirst);
    await this.#put({ since: this.#after(latest) }, patience, allRepositories(this.#context));
  }

  async #put(
    login: Pick<PlaceLogin, 'lineage' | 'since'>,
    patience: StorePatience,
    repositories: readonly SnapshotRepository[],
  ): Promise<void> {
    const { settlePlace, logger } = this.#context;
    await settlePlace();
    const place = placeNameOf(this.#context.profile);
    const put = async (repository: SnapshotRepository) => {
      const all = await repository.placeLogins();
      const there = all.find((one) => one.place === place);
      if (there !== undefined && there.since >= login.since) return;
      if (all.length === 0 && (await repository.list()).length === 0) return;
      await repository.putPlaceLogin({ ...login, place });
    };
    // Why a store fails is told by whoever needs something of it.
    for (const { repository } of failed(await askStores(repositories, put, patience))) {
      const { name } = repository.store;
      logger.debug('the login of this place could not be noted in a store yet', { store: name });
    }
  }

  async #told(patience: StorePatience | undefined): Promise<readonly PlaceLogin[]> {
    const { told } = await this.#toldBy(allRepositories(this.#context), patience);
    const { placeLogin } = this.#context.record.current;
    if (placeLogin === undefined) return told;
    return [{ ...placeLogin, place: placeNameOf(this.#context.profile) }, ...told];
  }

  async #toldBy(
    repositories: readonly SnapshotRepository[],
    patience: StorePatience | undefined,
  ): Promise<{ readonly told: readonly PlaceLogin[]; readonly isComplete: boolean }> {
    await this.#context.settlePlace();
    const ask = (repository: SnapshotRepository) => repository.placeLogins();
    const answers = answered(await askStores(repositories, ask, patience));
    const isComplete = answers.length === repositories.length;
    return { told: answers.flatMap(({ value }) => value), isComplete };
  }

  async #cleared(patience: StorePatience | undefined): Promise<ReadonlySet<string>> {
    const ask = (repository: SnapshotRepository) => repository.clearedLineages();
    const answers = answered(await askStores(allRepositories(this.#context), ask, patience));
    return new Set(answers.flatMap(({ value }) => [...value]));
  }

  #patience(): StorePatience {
    return new StorePatience(this.#context.clock, NOTE_PATIENCE_MS);
  }

  #after(latest: PlaceLogin | undefined): string {
    const now = this.#context.clock.now();
    return new Date(latest === undefined ? now : Math.max(now, Date.parse(latest.since) + 1)).toISOString();
  }
}

function latestFirst(a: PlaceLogin, b: PlaceLogin): number {
  return a.since < b.since ? 1 : a.since > b.since ? -1 : 0;
}

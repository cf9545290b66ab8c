import { describeError } from '../../errors.js';
import {
  databasesMark,
  isRenamed,
  isSameFolder,
  type ProfileMark,
  profileMark,
} from '../../profile/profile-mark.js';
import { type Continuity, continuityTask } from '../../profile/soundness/continuity.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import type { Finding, SnapshotFile } from '../../types.js';
import { answered, askStores, failed, START_PATIENCE_MS, StorePatience } from '../context/ask-stores.js';
import { allRepositories, type SessionContext } from '../context/session-context.js';

/** So many snapshots of one login are compared with a profile that has no record. */
const MAX_COMPARED = 20;

export interface Comparison {
  readonly continuity: Continuity;
  /** Whether a store did not answer, so that another comparison may tell more. */
  readonly mayTellMore: boolean;
  /** Whether there was a snapshot to compare it with. */
  readonly hasReference: boolean;
}

/**
 * Finds out whether the profile on the disk is the one that the record describes. The folder's mark tells that without any store;
 * where it does not, the profile is compared with the last snapshot of its login.
 */
export class ProfileProof {
  readonly #context: SessionContext;
  #isTold = false;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** Call when the profile is ready for a start. */
  async begin(patience: StorePatience): Promise<void> {
    const { inPlace, record } = this.#context;
    const { lineage, basedOn, profileMark: was } = record.current;
    const mark = await this.#markNow();
    this.#isTold = false;
    // Of a login that was never saved there is nothing that a mistake could cost.
    const isKnown = lineage === undefined || basedOn === undefined || mark === undefined;
    const isTheSame = mark !== undefined && was !== undefined && isRenamed(was, mark);
    const isProven = isKnown || isTheSame || (await this.compare(patience)).continuity === 'continues';
    inPlace.begin(mark, { isProven });
  }

  /**
   * Call at every `ready`, before which the browser may have changed the folder: on a file system of layers its first file
   * there makes it anew. `paired`: whether the browser has made the profile's login itself.
   */
  async noteReady(paired: boolean): Promise<void> {
    const { inPlace } = this.#context;
    const { mark: was, isProven } = inPlace;
    const mark = await this.#markNow();
    const isSame = was === undefined || mark === undefined || isSameFolder(was, mark) === true;
    const isAnother = !paired && !isSame && (await this.compare()).continuity === 'another';
    inPlace.begin(mark, {
      isProven: paired || (isProven && !isAnother),
      databases: await this.#databasesNow(),
    });
  }

  /** Looks whether the profile was exchanged since the session began to use it; tells so once in a run. Never rejects. */
  async look(): Promise<void> {
    const { inPlace, warn } = this.#context;
    const { mark: was } = inPlace;
    const is = await this.#markNow();
    if (was === undefined || is === undefined) return;
    const isSame = isSameFolder(was, is);
    const databases = await this.#databasesNow();
    // The browser, too, opens a database anew when the page has not used it for a while.
    const isUntouched = inPlace.databases === undefined || inPlace.databases === databases;
    if (isSame === true && isUntouched) {
      inPlace.isExchanged = false;
      return;
    }
    const { continuity, mayTellMore, hasReference } = await this.compare();
    if (continuity === 'continues') {
      inPlace.mark = is;
      inPlace.databases &&= databases;
      inPlace.isExchanged = false;
      return;
    }
    // Databases that were opened anew, and have nothing of the last snapshot.
    const isOverwritten = isSame === true && hasReference && !mayTellMore;
    inPlace.isExchanged = isSame === false || continuity === 'another' || isOverwritten;
    if (!inPlace.isExchanged || this.#isTold) return;
    this.#isTold = true;
    warn(
      'profile-replaced',
      'another profile was put in place of the one that is in use: it is not saved as this login. It is looked at when the ' +
        'session starts again',
    );
  }

  /** Why the profile must not be saved as the login that the record names (docs/invariants.md I12), if it must not. */
  async doubt(): Promise<Finding | undefined> {
    await this.look();
    const { isExchanged, isOfRecord } = this.#context.inPlace;
    if (isOfRecord) return undefined;
    const problem = isExchanged
      ? 'another profile was put in place of the one in use'
      : 'it could not be compared with its last snapshot yet, so it may be of another login';
    return { file: 'Default', problem };
  }

  /** Compares the profile with the snapshot on which it is based, else with the newest one of its login. */
  async compare(patience = new StorePatience(this.#context.clock, START_PATIENCE_MS)): Promise<Comparison> {
    const { files, mayTellMore } = await this.#reference(patience);
    const hasReference = files !== undefined;
    const continuity = hasReference ? await this.#compareWith(files) : 'unclear';
    return {
      continuity: continuity ?? 'unclear',
      mayTellMore: mayTellMore || continuity === undefined,
      hasReference,
    };
  }

  /**
   * Compares the profile with the newest snapshots of one login: it may be older than the last of them, as after a restore by
   * hand. `undefined` where none of them could be compared.
   */
  async compareWithAny(snapshots: readonly LocatedSnapshot[]): Promise<Continuity | undefined> {
    let known: Continuity | undefined;
    for (const { info, repository } of snapshots.slice(0, MAX_COMPARED)) {
      const manifest = await repository.manifest(info.id).catch(() => undefined);
      const continuity = manifest && (await this.#compareWith(manifest.files));
      if (continuity === 'continues') return continuity;
      known = known === 'another' ? known : (continuity ?? known);
    }
    return known;
  }

  /** `undefined` where the profile could not be read. */
  async #compareWith(reference: readonly SnapshotFile[]): Promise<Continuity | undefined> {
    const { runner, profileDir, logger } = this.#context;
    try {
      return await runner.run(continuityTask, { profileDir, reference });
    } catch (error) {
      logger.warn('the profile could not be compared with a snapshot', { error: describeError(error) });
      return undefined;
    }
  }

  async #reference(
    patience: StorePatience,
  ): Promise<{ readonly files?: readonly SnapshotFile[]; readonly mayTellMore: boolean }> {
    const { lineage, basedOn, run } = this.#context.record.current;
    const repositories = allRepositories(this.#context);
    const newest = async (repository: SnapshotRepository) => {
      const infos = await repository.list();
      const own = infos.filter((info) => info.lineage === lineage && info.run <= run);
      const info = own.find(({ id }) => id === basedOn) ?? own.sort(newestFirst)[0];
      if (info === undefined) return undefined;
      return { isBasis: info.id === basedOn, id: info.id, files: (await repository.manifest(info.id)).files };
    };
    const answers = await askStores(repositories, newest, patience);
    const found = answered(answers).flatMap(({ value }) => (value === undefined ? [] : [value]));
    const basis = found.find(({ isBasis }) => isBasis);
    const best = basis ?? found.sort(newestFirst)[0];
    return { ...(best && { files: best.files }), mayTellMore: failed(answers).length > 0 };
  }

  #markNow(): Promise<ProfileMark | undefined> {
    const { fs, profileDir } = this.#context;
    return profileMark(fs, profileDir).catch(() => undefined);
  }

  #databasesNow(): Promise<string | undefined> {
    const { fs, profileDir } = this.#context;
    return databasesMark(fs, profileDir).catch(() => undefined);
  }
}

/** Ids sort by capture time. */
function newestFirst(one: { readonly id: string }, other: { readonly id: string }): number {
  return one.id < other.id ? 1 : one.id > other.id ? -1 : 0;
}

import type { SnapshotRepository } from '../../snapshot/repository.js';
import { askStores, failed, StorePatience } from '../context/ask-stores.js';
import { allRepositories, type SessionContext } from '../context/session-context.js';

/** How long a silent store may delay a restore, ms. */
const RELEASE_PATIENCE_MS = 5_000;

/** A store in which the hold could not be ended, and why. */
export interface StillHeld {
  readonly repository: SnapshotRepository;
  readonly error: unknown;
}

/**
 * Ends the hold on a login that a person has brought back, or whose profile is in place. A store that is away then keeps
 * its mark, which would hold every later copy, too: it is asked again at `ready`, after each copy and at the end.
 *
 * Only for a login that was released in this process. What a store that was away says of another one may be later than all
 * that is known here, for example where a disk was set back.
 */
export class HoldRelease {
  readonly #context: SessionContext;
  /** The login that was released last, and the stores in which a hold on it may be left. */
  #released: { readonly lineage: string; readonly left: readonly SnapshotRepository[] } | undefined;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** Never rejects. */
  async release(
    lineage: string,
    repositories: Iterable<SnapshotRepository> = allRepositories(this.#context),
    patienceMs = RELEASE_PATIENCE_MS,
  ): Promise<readonly StillHeld[]> {
    const release = async (repository: SnapshotRepository) => {
      await repository.unmarkCleared(lineage);
      await repository.release(lineage);
    };
    const patience = new StorePatience(this.#context.clock, patienceMs);
    const failures = failed(await askStores(repositories, release, patience));
    this.#released = { lineage, left: failures.map(({ repository }) => repository) };
    return failures;
  }

  /** Whether its hold was ended in this process, so that a mark that a store still has is out of date. */
  isReleased(lineage: string): boolean {
    return this.#released?.lineage === lineage;
  }

  /** Call at `ready`, and after a copy was stored. Never rejects. */
  async finish(): Promise<void> {
    const { lineage } = this.#context.record.current;
    if (this.#released === undefined || this.#released.lineage !== lineage) return;
    const { left } = this.#released;
    if (left.length > 0) await this.release(lineage, left);
  }

  /** Call at the end of a session. A local store may be a disk that was not mounted before, and looked empty. Never rejects. */
  async settle(patienceMs: number): Promise<void> {
    const { lineage } = this.#context.record.current;
    if (this.#released === undefined || this.#released.lineage !== lineage) return;
    const local = [...allRepositories(this.#context)].filter(({ store }) => store.localPath !== undefined);
    const repositories = new Set([...this.#released.left, ...local]);
    if (repositories.size > 0) await this.release(lineage, repositories, patienceMs);
  }

  /** Call when the login has been put on hold anew. */
  forget(): void {
    this.#released = undefined;
  }
}

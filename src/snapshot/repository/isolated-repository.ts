import type { Readable } from 'node:stream';
import type { Clock } from '../../clock.js';
import { isSessionError } from '../../errors.js';
import type { SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import { isStandstill, whileItMoves } from '../../stores/watched/deadline.js';
import { LIST_MS } from '../../stores/watched/limits.js';
import type {
  CapturedFile,
  CapturedTree,
  SnapshotContext,
  SnapshotInfo,
  SnapshotManifest,
} from '../../types.js';
import type {
  CreateResult,
  Hold,
  LineageHold,
  PlaceLogin,
  RemoveResult,
  Revocation,
  SnapshotRepository,
  SweepOptions,
  SweepResult,
  UnreadableSnapshot,
} from '../repository.js';
import type { NewTail, RestoredTail, TailInfo, TailPut } from '../tail.js';
import { StoreBreaker } from './store-breaker.js';

/** This key belongs to no object: only the answer counts. */
const PING = 'ping';

/**
 * A repository whose store may hang without affecting others: a store that stood still is not called for a while,
 * and every call in that time fails at once. The repository's `WatchedStore` ensures that each call ends at all.
 */
export class IsolatedRepository implements SnapshotRepository {
  readonly kind: SnapshotRepository['kind'];
  readonly store: SessionStore;
  readonly open?: (id: string, options?: StoreCallOptions) => Promise<Readable>;
  readonly #inner: SnapshotRepository;
  readonly #clock: Clock;
  readonly #breaker: StoreBreaker;
  readonly #pingKey: string;
  readonly #label: string;

  /** @param parts `label`: the name of the store in messages */
  constructor(
    inner: SnapshotRepository,
    parts: { readonly clock: Clock; readonly clientId: string; readonly label?: string },
  ) {
    const { clock, clientId, label = inner.store.name } = parts;
    this.#inner = inner;
    this.#clock = clock;
    this.#label = label;
    this.#breaker = new StoreBreaker(clock, label);
    this.#pingKey = `${clientId}/${PING}`;
    this.kind = inner.kind;
    this.store = inner.store;
    const { open } = inner;
    if (open !== undefined) {
      this.open = (id, options) => this.#call(options, () => open.call(inner, id, options));
    }
  }

  async ping(): Promise<void> {
    const waiting = { clock: this.#clock, name: this.#label, action: `look up ${PING}`, ms: LIST_MS };
    await this.#call({}, () => whileItMoves(waiting, (signal) => this.store.head(this.#pingKey, { signal })));
  }

  create(tree: CapturedTree, context: SnapshotContext, options?: StoreCallOptions): Promise<CreateResult> {
    return this.#call(options, () => this.#inner.create(tree, context, options));
  }

  unchanged(
    files: readonly CapturedFile[],
    context: SnapshotContext,
    options?: StoreCallOptions,
  ): Promise<SnapshotInfo | undefined> {
    return this.#call(options, () => this.#inner.unchanged(files, context, options));
  }

  lookAgain(maxAgeMs?: number): void {
    this.#inner.lookAgain(maxAgeMs);
  }

  list(options?: StoreCallOptions): Promise<readonly SnapshotInfo[]> {
    return this.#call(options, () => this.#inner.list(options));
  }

  manifest(id: string, options?: StoreCallOptions): Promise<SnapshotManifest> {
    return this.#call(options, () => this.#inner.manifest(id, options));
  }

  restore(id: string, directory: string, options?: StoreCallOptions): Promise<SnapshotManifest> {
    return this.#call(options, () => this.#inner.restore(id, directory, options));
  }

  putTail(tail: NewTail, options?: StoreCallOptions): Promise<TailPut> {
    return this.#call(options, () => this.#inner.putTail(tail, options));
  }

  tail(options?: StoreCallOptions): Promise<TailInfo | undefined> {
    return this.#call(options, () => this.#inner.tail(options));
  }

  restoreTail(id: string, directory: string, options?: StoreCallOptions): Promise<RestoredTail | undefined> {
    return this.#call(options, () => this.#inner.restoreTail(id, directory, options));
  }

  verify(id: string, options?: StoreCallOptions): Promise<SnapshotInfo> {
    return this.#call(options, () => this.#inner.verify(id, options));
  }

  remove(ids: readonly string[], options?: StoreCallOptions): Promise<RemoveResult> {
    return this.#call(options, () => this.#inner.remove(ids, options));
  }

  unreadable(options?: StoreCallOptions): Promise<readonly UnreadableSnapshot[]> {
    return this.#call(options, () => this.#inner.unreadable(options));
  }

  removeUnreadable(keys: readonly string[], options?: StoreCallOptions): Promise<RemoveResult> {
    return this.#call(options, () => this.#inner.removeUnreadable(keys, options));
  }

  sweep(options?: SweepOptions): Promise<SweepResult> {
    return this.#call(options, () => this.#inner.sweep(options));
  }

  removeLeftovers(): Promise<SweepResult> {
    return this.#call(undefined, () => this.#inner.removeLeftovers());
  }

  revoke(lineage: string, revocation: Revocation, options?: StoreCallOptions): Promise<void> {
    return this.#call(options, () => this.#inner.revoke(lineage, revocation, options));
  }

  revokedLineages(options?: StoreCallOptions): Promise<ReadonlySet<string>> {
    return this.#call(options, () => this.#inner.revokedLineages(options));
  }

  hold(lineage: string, hold: Hold, options?: StoreCallOptions): Promise<void> {
    return this.#call(options, () => this.#inner.hold(lineage, hold, options));
  }

  heldLineages(options?: StoreCallOptions): Promise<ReadonlySet<string>> {
    return this.#call(options, () => this.#inner.heldLineages(options));
  }

  holds(options?: StoreCallOptions): Promise<readonly LineageHold[]> {
    return this.#call(options, () => this.#inner.holds(options));
  }

  release(lineage: string, options?: StoreCallOptions): Promise<void> {
    return this.#call(options, () => this.#inner.release(lineage, options));
  }

  markCleared(lineage: string, at: string, options?: StoreCallOptions): Promise<void> {
    return this.#call(options, () => this.#inner.markCleared(lineage, at, options));
  }

  unmarkCleared(lineage: string, options?: StoreCallOptions): Promise<void> {
    return this.#call(options, () => this.#inner.unmarkCleared(lineage, options));
  }

  clearedLineages(options?: StoreCallOptions): Promise<ReadonlySet<string>> {
    return this.#call(options, () => this.#inner.clearedLineages(options));
  }

  putPlaceLogin(login: PlaceLogin, options?: StoreCallOptions): Promise<void> {
    return this.#call(options, () => this.#inner.putPlaceLogin(login, options));
  }

  placeLogins(options?: StoreCallOptions): Promise<readonly PlaceLogin[]> {
    return this.#call(options, () => this.#inner.placeLogins(options));
  }

  clear(options?: StoreCallOptions): Promise<void> {
    return this.#call(options, () => this.#inner.clear(options));
  }

  async #call<T>(options: StoreCallOptions | undefined, call: () => Promise<T>): Promise<T> {
    const tried = this.#breaker.enter();
    try {
      const value = await call();
      this.#breaker.left(tried, 'answered');
      return value;
    } catch (error) {
      const isMissing = isSessionError(error) && error.code === 'SNAPSHOT_NOT_FOUND';
      if (!isMissing) this.#inner.lookAgain(); // only the store can tell what has become of the call
      this.#breaker.left(tried, outcomeOf(error, options?.signal));
      throw error;
    }
  }
}

function outcomeOf(error: unknown, signal: AbortSignal | undefined): 'answered' | 'stood-still' | 'aborted' {
  const isClosed = isSessionError(error) && error.code === 'CLOSED';
  if (signal?.aborted || isClosed) return 'aborted';
  return isStandstill(error) ? 'stood-still' : 'answered';
}

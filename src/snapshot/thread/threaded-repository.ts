import type { Readable } from 'node:stream';
import { isSessionError } from '../../errors.js';
import { unpackError } from '../../portable-error.js';
import type { SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import type { NoticeListener } from '../../stores/watched-store.js';
import type { TaskRunner } from '../../task.js';
import type {
  CapturedFile,
  CapturedTree,
  SnapshotContext,
  SnapshotInfo,
  SnapshotManifest,
} from '../../types.js';
import type { WritePermit } from '../../write-permit.js';
import type { RepositoryFormat } from '../repository/open-repository.js';
import type {
  CreateResult,
  Hold,
  LineageHold,
  PlaceLogin,
  ProblemListener,
  RemoveResult,
  Revocation,
  SnapshotRepository,
  SweepOptions,
  SweepResult,
  UnreadableSnapshot,
} from '../repository.js';
import type { NewTail, RestoredTail, TailInfo, TailPut } from '../tail.js';
import {
  type PortableArguments,
  type PortableMethod,
  type RepositorySpec,
  repositoryTask,
} from './repository-task.js';

export interface ThreadedRepositoryOptions {
  /** The same repository in this thread, for calls while this process does not own the session. */
  readonly local: SnapshotRepository;
  readonly spec: Omit<RepositorySpec, 'ownershipEpoch'> & RepositoryFormat;
  readonly runner: TaskRunner;
  /** `undefined` while the session is not owned, because nobody would end the thread then. */
  readonly ownershipEpoch: () => OwnershipEpoch | undefined;
  readonly onProblem?: ProblemListener;
  readonly onNotice?: NoticeListener;
}

/** A period in which this process owns the session. */
export interface OwnershipEpoch {
  /** Unique name of the period. */
  readonly name: string;
  /** Tells whether the period still lasts. */
  readonly permit: WritePermit;
}

/**
 * A repository over a local store that works in the worker thread: a save makes some hundred file system calls,
 * and each would take a moment of the bot's own thread.
 */
export class ThreadedRepository implements SnapshotRepository {
  readonly kind: SnapshotRepository['kind'];
  readonly store: SessionStore;
  /** Runs in this thread, because a stream can't be sent to another one. */
  readonly open?: (id: string, options?: StoreCallOptions) => Promise<Readable>;
  readonly #options: ThreadedRepositoryOptions;

  constructor(options: ThreadedRepositoryOptions) {
    const { local } = options;
    this.#options = options;
    this.kind = local.kind;
    this.store = local.store;
    if (local.open !== undefined) this.open = local.open.bind(local);
  }

  create(
    tree: CapturedTree,
    context: SnapshotContext,
    options: StoreCallOptions = {},
  ): Promise<CreateResult> {
    return this.#call('create', [tree, context], options);
  }

  unchanged(
    files: readonly CapturedFile[],
    context: SnapshotContext,
    options: StoreCallOptions = {},
  ): Promise<SnapshotInfo | undefined> {
    return this.#call('unchanged', [files, context], options);
  }

  /** Nothing of a local store is remembered. */
  lookAgain(): void {}

  list(options: StoreCallOptions = {}): Promise<readonly SnapshotInfo[]> {
    return this.#call('list', [], options);
  }

  manifest(id: string, options: StoreCallOptions = {}): Promise<SnapshotManifest> {
    return this.#call('manifest', [id], options);
  }

  restore(id: string, directory: string, options: StoreCallOptions = {}): Promise<SnapshotManifest> {
    return this.#call('restore', [id, directory], options);
  }

  putTail(tail: NewTail, options: StoreCallOptions = {}): Promise<TailPut> {
    return this.#call('putTail', [tail], options);
  }

  tail(options: StoreCallOptions = {}): Promise<TailInfo | undefined> {
    return this.#call('tail', [], options);
  }

  restoreTail(
    id: string,
    directory: string,
    options: StoreCallOptions = {},
  ): Promise<RestoredTail | undefined> {
    return this.#call('restoreTail', [id, directory], options);
  }

  verify(id: string, options: StoreCallOptions = {}): Promise<SnapshotInfo> {
    return this.#call('verify', [id], options);
  }

  remove(ids: readonly string[], options: StoreCallOptions = {}): Promise<RemoveResult> {
    return this.#call('remove', [ids], options);
  }

  unreadable(options: StoreCallOptions = {}): Promise<readonly UnreadableSnapshot[]> {
    return this.#call('unreadable', [], options);
  }

  removeUnreadable(keys: readonly string[], options: StoreCallOptions = {}): Promise<RemoveResult> {
    return this.#call('removeUnreadable', [keys], options);
  }

  sweep(options: SweepOptions = {}): Promise<SweepResult> {
    return this.#call('sweep', [], options);
  }

  removeLeftovers(): Promise<SweepResult> {
    return this.#call('removeLeftovers', [], {});
  }

  revoke(lineage: string, revocation: Revocation, options: StoreCallOptions = {}): Promise<void> {
    return this.#call('revoke', [lineage, revocation], options);
  }

  revokedLineages(options: StoreCallOptions = {}): Promise<ReadonlySet<string>> {
    return this.#call('revokedLineages', [], options);
  }

  hold(lineage: string, hold: Hold, options: StoreCallOptions = {}): Promise<void> {
    return this.#call('hold', [lineage, hold], options);
  }

  heldLineages(options: StoreCallOptions = {}): Promise<ReadonlySet<string>> {
    return this.#call('heldLineages', [], options);
  }

  holds(options: StoreCallOptions = {}): Promise<readonly LineageHold[]> {
    return this.#call('holds', [], options);
  }

  release(lineage: string, options: StoreCallOptions = {}): Promise<void> {
    return this.#call('release', [lineage], options);
  }

  markCleared(lineage: string, at: string, options: StoreCallOptions = {}): Promise<void> {
    return this.#call('markCleared', [lineage, at], options);
  }

  unmarkCleared(lineage: string, options: StoreCallOptions = {}): Promise<void> {
    return this.#call('unmarkCleared', [lineage], options);
  }

  clearedLineages(options: StoreCallOptions = {}): Promise<ReadonlySet<string>> {
    return this.#call('clearedLineages', [], options);
  }

  putPlaceLogin(login: PlaceLogin, options: StoreCallOptions = {}): Promise<void> {
    return this.#call('putPlaceLogin', [login], options);
  }

  placeLogins(options: StoreCallOptions = {}): Promise<readonly PlaceLogin[]> {
    return this.#call('placeLogins', [], options);
  }

  clear(options: StoreCallOptions = {}): Promise<void> {
    return this.#call('clear', [], options);
  }

  async #call<Method extends PortableMethod>(
    method: Method,
    given: PortableArguments<Method>,
    options: StoreCallOptions,
  ): Promise<Awaited<ReturnType<SnapshotRepository[Method]>>> {
    type Result = Awaited<ReturnType<SnapshotRepository[Method]>>;
    const ownershipEpoch = this.#options.ownershipEpoch();
    try {
      // Both sides take the method's types from the same interface.
      if (ownershipEpoch !== undefined)
        return (await this.#callInThread(ownershipEpoch, method, given, options)) as Result;
    } catch (error) {
      // The session was given up meanwhile. Calls that only read are answered all the same.
      const isEnded = isSessionError(error) && error.code === 'CLOSED' && options.signal?.aborted !== true;
      if (!isEnded || !ONLY_LOOKING.has(method)) throw error;
    }
    const { local } = this.#options;
    const call = local[method] as (...values: readonly unknown[]) => Promise<Result>;
    return call.apply(local, [...given, options]);
  }

  async #callInThread(
    { name, permit }: OwnershipEpoch,
    method: PortableMethod,
    given: readonly unknown[],
    options: StoreCallOptions,
  ): Promise<unknown> {
    const { spec, runner, onProblem, onNotice } = this.#options;
    const call = {
      repository: { ...spec, ownershipEpoch: name },
      permit: permit.memory,
      method,
      arguments: given,
    };
    const { value, error, problems, notices } = await runner.run(repositoryTask, call, options);
    for (const notice of notices) onNotice?.(notice);
    for (const problem of problems) onProblem?.(problem.id, unpackError(problem.error));
    if (error === undefined) return value;
    options.signal?.throwIfAborted(); // the caller's own reason is better than a copy of it
    throw unpackError(error);
  }
}

const ONLY_LOOKING: ReadonlySet<PortableMethod> = new Set([
  'list',
  'manifest',
  'revokedLineages',
  'heldLineages',
  'holds',
  'clearedLineages',
  'placeLogins',
  'unreadable',
  'verify',
  'tail',
]);

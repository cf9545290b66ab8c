import type { Readable } from 'node:stream';
import { unpackError } from '../portable-error.js';
import type { SessionStore, StoreCallOptions } from '../stores/session-store.js';
import type { TaskRunner } from '../task.js';
import type {
  CapturedFile,
  CapturedTree,
  SnapshotContext,
  SnapshotInfo,
  SnapshotManifest,
} from '../types.js';
import type {
  CreateResult,
  ProblemListener,
  RemoveResult,
  Revocation,
  SnapshotRepository,
  SweepResult,
} from './repository.js';
import {
  type PortableArguments,
  type PortableMethod,
  type RepositorySpec,
  repositoryTask,
} from './repository-task.js';

export interface ThreadedRepositoryOptions {
  /** The same repository in this thread, for what is called while `isOwner` is false. */
  readonly local: SnapshotRepository;
  readonly spec: RepositorySpec;
  readonly runner: TaskRunner;
  /** Whether the session runs: somebody must be there to end the thread. */
  readonly isOwner: () => boolean;
  readonly onProblem?: ProblemListener;
}

/**
 * A repository over a local store whose work is done in the worker thread: a save is some hundred file system calls,
 * each of which would take a moment of the bot's own thread.
 */
export class ThreadedRepository implements SnapshotRepository {
  readonly kind: SnapshotRepository['kind'];
  readonly store: SessionStore;
  /** A stream can't leave its thread. */
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

  list(options: StoreCallOptions = {}): Promise<readonly SnapshotInfo[]> {
    return this.#call('list', [], options);
  }

  manifest(id: string, options: StoreCallOptions = {}): Promise<SnapshotManifest> {
    return this.#call('manifest', [id], options);
  }

  restore(id: string, directory: string, options: StoreCallOptions = {}): Promise<SnapshotManifest> {
    return this.#call('restore', [id, directory], options);
  }

  verify(id: string, options: StoreCallOptions = {}): Promise<SnapshotInfo> {
    return this.#call('verify', [id], options);
  }

  remove(ids: readonly string[], options: StoreCallOptions = {}): Promise<RemoveResult> {
    return this.#call('remove', [ids], options);
  }

  sweep(options: StoreCallOptions = {}): Promise<SweepResult> {
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

  clear(options: StoreCallOptions = {}): Promise<void> {
    return this.#call('clear', [], options);
  }

  async #call<Method extends PortableMethod>(
    method: Method,
    given: PortableArguments<Method>,
    options: StoreCallOptions,
  ): Promise<Awaited<ReturnType<SnapshotRepository[Method]>>> {
    const { local, spec, runner, isOwner, onProblem } = this.#options;
    type Result = Awaited<ReturnType<SnapshotRepository[Method]>>;
    if (!isOwner()) {
      const call = local[method] as (...values: readonly unknown[]) => Promise<Result>;
      return call.apply(local, [...given, options]);
    }
    const { value, problems } = await runner.run(
      repositoryTask,
      { repository: spec, method, arguments: given },
      options,
    );
    for (const { id, error } of problems) onProblem?.(id, unpackError(error));
    // Both ends take the method's types from the same interface.
    return value as Result;
  }
}

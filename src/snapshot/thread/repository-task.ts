import { type PortableError, packError } from '../../portable-error.js';
import { type LocalStoreSpec, openLocalStore } from '../../stores/local-store-spec.js';
import { storeLabel } from '../../stores/store-label.js';
import type { NoticeListener } from '../../stores/watched-store.js';
import { defineTask, type TaskContext } from '../../task.js';
import { notTheOwner, WritePermit } from '../../write-permit.js';
import { SignatureCache } from '../hashing/tree-hasher.js';
import { openRepository, type RepositoryFormat } from '../repository/open-repository.js';
import type { ProblemListener, SnapshotRepository } from '../repository.js';
import { withdrawLatePuts } from '../store-calls/late-puts.js';
import { watchedTaskRunner } from './watched-runner.js';

/** Describes a repository over a local store so that another thread can open it; structured-clonable. */
export type RepositorySpec = RepositoryFormat & {
  readonly store: LocalStoreSpec;
  readonly clientId: string;
  /**
   * Unique to the session and to the period in which it is owned, because the thread's older knowledge may be out
   * of date. The session's repositories share their knowledge of unchanged files.
   */
  readonly ownershipEpoch: string;
};

/** The methods of a repository whose arguments and results can go to another thread and back. */
export type PortableMethod = Exclude<
  keyof SnapshotRepository,
  'kind' | 'store' | 'open' | 'ping' | 'lookAgain'
>;

/** The arguments of such a method without the last one, `options`. */
export type PortableArguments<Method extends PortableMethod> =
  Required<Parameters<SnapshotRepository[Method]>> extends [...infer Arguments, unknown] ? Arguments : [];

export interface RepositoryCall {
  readonly repository: RepositorySpec;
  /** The memory of the owner's {@link WritePermit} for this epoch. */
  readonly permit: SharedArrayBuffer;
  readonly method: PortableMethod;
  readonly arguments: readonly unknown[];
}

export interface RepositoryAnswer {
  readonly value?: unknown;
  /** The error of the call. It is returned, not thrown, so that the problems are returned with it. */
  readonly error?: PortableError;
  /** Faults that were ignored because they do not matter. */
  readonly notices: readonly string[];
  /** Damaged snapshots that were found during the call. */
  readonly problems: readonly { readonly id: string; readonly error: PortableError }[];
}

/** Maximum number of notices for one call. */
const MAX_NOTICES = 20;
/** Two for each of a hundred sessions; it limits a thread that serves many sessions one after the other. */
const MAX_OPEN = 200;

interface Listener {
  readonly onProblem: ProblemListener;
  readonly onNotice: NoticeListener;
}

interface OpenRepository {
  readonly repository: SnapshotRepository;
  /** The listeners of the running calls. */
  readonly listeners: Set<Listener>;
}

/**
 * The repositories of this thread. Their caches (hashes, manifests) make the next call cheap; losing them does no
 * harm.
 */
const open = new Map<string, OpenRepository>();
const signatures = new Map<string, SignatureCache>();

/** Calls a method of a repository in this thread. */
export const repositoryTask = defineTask<RepositoryCall, RepositoryAnswer>(
  'snapshot:repository',
  async ({ repository: spec, permit, method, arguments: given }, context) => {
    const { repository, listeners } = openOnce(spec, new WritePermit(permit), context);
    const problems: RepositoryAnswer['problems'][number][] = [];
    const notices: string[] = [];
    const listener: Listener = {
      onProblem: (id, error) => problems.push({ id, error: packError(error) }),
      onNotice: (notice) => {
        if (notices.length < MAX_NOTICES && !notices.includes(notice)) notices.push(notice);
      },
    };
    listeners.add(listener);
    try {
      const call = repository[method] as (...values: readonly unknown[]) => Promise<unknown>;
      const options = context.signal === undefined ? {} : { signal: context.signal };
      return { value: await call.apply(repository, [...given, options]), problems, notices };
    } catch (error) {
      return { error: packError(error), problems, notices };
    } finally {
      listeners.delete(listener);
    }
  },
);

function openOnce(spec: RepositorySpec, permit: WritePermit, context: TaskContext): OpenRepository {
  const key = JSON.stringify(spec);
  const known = open.get(key);
  if (known !== undefined) {
    // Moves the entry to the end, so that the least recently used one comes first.
    open.delete(key);
    open.set(key, known);
    return known;
  }
  if (open.size >= MAX_OPEN) closeOldest();
  const listeners = new Set<Listener>();
  // Only one of the running calls reports it, so that the session gets one warning.
  const onNotice = (notice: string) => [...listeners][0]?.onNotice(notice);
  const assertMayWrite = () => {
    if (!permit.isValid(context.clock)) throw notTheOwner(spec.clientId);
  };
  const store = openLocalStore(spec.store, context.fs);
  const label = storeLabel(store);
  const repository = openRepository(spec, {
    store: withdrawLatePuts(store, {
      clock: context.clock,
      name: spec.store.name,
      label,
      assertMayWrite,
      onNotice,
    }),
    assertMayWrite,
    clientId: spec.clientId,
    fs: context.fs,
    runner: watchedTaskRunner(context.fs, context.clock, label),
    signatures: signaturesOf(spec.ownershipEpoch),
    onProblem: (id: string, error: unknown) => [...listeners][0]?.onProblem(id, error),
  });
  const opened = { repository, listeners };
  open.set(key, opened);
  return opened;
}

/** A repository that is working is never closed, because its writes must take turns with later ones. */
function closeOldest(): void {
  const idle = [...open].find(([, { listeners }]) => listeners.size === 0);
  if (idle !== undefined) open.delete(idle[0]);
}

function signaturesOf(ownershipEpoch: string): SignatureCache {
  const known = signatures.get(ownershipEpoch);
  if (known !== undefined) return known;
  const [oldest] = signatures.keys();
  if (signatures.size >= MAX_OPEN && oldest !== undefined) signatures.delete(oldest);
  const fresh = new SignatureCache();
  signatures.set(ownershipEpoch, fresh);
  return fresh;
}

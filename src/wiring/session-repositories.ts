import { join } from 'node:path';
import { systemClock } from '../clock.js';
import { plainFileSystem } from '../disk-gate/gated-file-system.js';
import { describeError } from '../errors.js';
import type { Announce } from '../events.js';
import { systemFileSystem } from '../file-system.js';
import type { ResolvedOptions } from '../options.js';
import { ManifestFolder } from '../snapshot/catalog/manifest-folder.js';
import { SignatureCache } from '../snapshot/hashing/tree-hasher.js';
import { IsolatedRepository } from '../snapshot/repository/isolated-repository.js';
import { openRepository, type RepositoryFormat } from '../snapshot/repository/open-repository.js';
import type { SnapshotRepository } from '../snapshot/repository.js';
import { withdrawLatePuts } from '../snapshot/store-calls/late-puts.js';
import { isReadFault } from '../snapshot/store-calls/read-faults.js';
import { RememberingStore } from '../snapshot/store-calls/remembering-store.js';
import { type OwnershipEpoch, ThreadedRepository } from '../snapshot/thread/threaded-repository.js';
import { localStoreSpec } from '../stores/local-store-spec.js';
import type { SessionStore } from '../stores/session-store.js';
import { storeLabel } from '../stores/store-label.js';
import type { SessionContext } from '../supervision/context/session-context.js';
import type { TaskRunner } from '../task.js';
import type { SnapshotKind } from '../types.js';
import type { SessionStores } from './session-stores.js';

/** How many different notices about its stores a session announces at most. */
const MAX_NOTICES = 50;

/** Creates the session's repositories. Those of plain local stores work in the worker thread while the session is owned. */
export function createRepositories(
  options: ResolvedOptions,
  parts: {
    readonly stores: SessionStores;
    readonly runner: TaskRunner;
    readonly announce: Announce;
    /** Throws unless the session is owned at this moment, as far as this store can tell. */
    readonly assertMayWrite: (store: SessionStore) => void;
    /** The fencing number of the ownership among machines. */
    readonly fence: () => number | undefined;
    /** Called with a fencing number that a store has refused. */
    readonly onFencedOff: (generation: number) => void;
    readonly ownershipEpoch: () => OwnershipEpoch | undefined;
    /** See {@link RememberingStore}. */
    readonly ownershipPeriod: (store: SessionStore) => string | undefined;
  },
): Pick<SessionContext, 'saves' | 'backups' | 'repositoriesOf'> {
  const { runner, announce, stores } = parts;
  const { names } = stores;
  const { clientId, clock, fs, sessionPath, compression } = options;
  const signatures = new SignatureCache();
  const stagingDirectory = join(sessionPath, 'staging', clientId);
  const onProblem = (id: string, error: unknown) =>
    announce('warning', {
      code: isReadFault(error) ? 'snapshot-unreadable' : 'corrupt-snapshot',
      message: `the snapshot ${id} is skipped: ${describeError(error).message}`,
    });
  const told = new Set<string>();
  const tellOnce = (storeName: string, notice: string) => {
    const message = `the store ${storeName}: ${notice}`;
    if (told.has(message) || told.size >= MAX_NOTICES) return;
    told.add(message);
    announce('warning', { code: 'store-limited', message });
  };
  const shared = { clientId, runner, fs, clock, signatures, onProblem };
  const watchedStores = new Map<SessionStore, ReturnType<typeof watch>>();
  const watch = (store: SessionStore) => {
    const storeName = names.get(store) ?? store.name;
    const watched: SessionStore = withdrawLatePuts(store, {
      clock,
      name: storeName,
      label: storeLabel(store, storeName),
      assertMayWrite: () => parts.assertMayWrite(store),
      onNotice: (notice: string) => tellOnce(storeName, notice),
      onLateChange: () => memory?.forget(),
    });
    // Whoever puts a file into a folder, or takes one away, is seen at once: asking a folder costs nothing.
    const memory =
      store.localPath === undefined
        ? new RememberingStore(watched, {
            ...{ prefix: `${clientId}/`, clock },
            period: () => parts.ownershipPeriod(store),
          })
        : undefined;
    return { store: memory ?? watched, storeName, ...(memory && { memory }) };
  };
  const manifestsOf = (store: SessionStore, storeName: string, kind: SnapshotKind) =>
    new ManifestFolder({
      ...{ fs, storeName, kind },
      directory: join(sessionPath, 'manifests', clientId),
      isOwned: () => parts.ownershipPeriod(store) !== undefined,
    });
  const openHere = (store: SessionStore, format: RepositoryFormat, id: string): SnapshotRepository => {
    const watched = watchedStores.get(store) ?? watch(store);
    watchedStores.set(store, watched);
    const here = format.kind === 'save' ? format : { ...format, stagingDirectory };
    const manifests =
      watched.memory && id === clientId ? manifestsOf(store, watched.storeName, format.kind) : undefined;
    const assertMayWrite = () => parts.assertMayWrite(store);
    // In every store that keeps fences, not only in that of the lease.
    const isFenced = stores.shared !== undefined && id === clientId;
    const own = {
      ...{ ...watched, clientId: id, assertMayWrite },
      ...(manifests && { manifests }),
      ...(isFenced && { fence: parts.fence, onFencedOff: parts.onFencedOff }),
    };
    return openRepository(here, { ...shared, ...own });
  };
  const open = (store: SessionStore, format: RepositoryFormat): SnapshotRepository => {
    const storeName = names.get(store) ?? store.name;
    const onNotice = (notice: string) => tellOnce(storeName, notice);
    const label = storeLabel(store, storeName);
    const local = openHere(store, format, clientId);
    const isReal = clock === systemClock && plainFileSystem(fs) === systemFileSystem;
    const place = isReal ? localStoreSpec(store) : undefined;
    const spec = place && { ...format, store: { ...place, name: storeName }, clientId };
    const inner =
      spec === undefined ? local : new ThreadedRepository({ ...parts, local, spec, onProblem, onNotice });
    return new IsolatedRepository(inner, { clock, clientId, label });
  };
  const backupFormat: RepositoryFormat = {
    kind: 'backup',
    stagingDirectory: join(stagingDirectory, 'worker'), // a thread can't see which files another one uses
    compression,
  };
  return {
    saves: open(stores.saves, { kind: 'save' }),
    backups: stores.backups.map((one) => open(one, backupFormat)),
    repositoriesOf: (id) => [
      openHere(stores.saves, { kind: 'save' }, id),
      ...stores.backups.map((one) => openHere(one, backupFormat, id)),
    ],
  };
}

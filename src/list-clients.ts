import { join } from 'node:path';
import { withDeadline } from './clock.js';
import { ConfigurationError, describeError, isSessionError, StoreError } from './errors.js';
import { clientId as checkClientId } from './options/checks.js';
import { type PersistentSessionOptions, type ResolvedOptions, resolveOptions } from './options.js';
import { newestBelievableFirst } from './snapshot/capture-time.js';
import { openRepository } from './snapshot/repository/open-repository.js';
import type { SnapshotRepository } from './snapshot/repository.js';
import { isStateKey } from './snapshot/state/state-object.js';
import { isDeniedObject } from './snapshot/store-calls/read-faults.js';
import { BackupDirStore } from './stores/backup-dir-store.js';
import { FileSystemStore } from './stores/file-system-store.js';
import type { SessionStore } from './stores/session-store.js';
import { uniqueStoreNames } from './stores/unique-names.js';
import { inlineTaskRunner } from './task.js';
import type { SnapshotInfo, SnapshotKind } from './types.js';

/** The options of {@link listClients}: those of the sessions, without the client id. */
export interface ListClientsOptions extends Omit<PersistentSessionOptions, 'clientId'> {
  /** Ends the listing. */
  readonly signal?: AbortSignal;
}

/** The data of a client in one store. */
export interface ClientInStore {
  /** Name of the store, as in the `store` of a snapshot. */
  readonly store: string;
  readonly kind: SnapshotKind;
  /** Bytes of everything that the store keeps for this client. */
  readonly storedBytes: number;
}

/** One client id and its data in the stores. JSON-safe. */
export interface StoredClient {
  readonly clientId: string;
  /** The newest snapshot; absent if none can be read. Snapshots that are damaged or may not be read are left out. */
  readonly newest?: SnapshotInfo;
  /** Whether the newest snapshot's login was logged out, so that a start shows a QR. `false` without a snapshot. */
  readonly revoked: boolean;
  /** Whether the profile was removed on purpose, so that a start shows a QR; `restore()` brings the login back. */
  readonly held: boolean;
  /** The stores that contain data of this client, the store of the saves first. */
  readonly stores: readonly ClientInStore[];
  /** Total bytes in all stores. */
  readonly storedBytes: number;
}

/** The deadline for each answer of a store, because one that hangs must not block a gateway's start for ever. */
const CALL_DEADLINE_MS = 60_000;
/** More clients than any process can start; it limits the memory. */
const MAX_CLIENTS = 100_000;

/** A store and the bytes found in it, by client id. */
interface Shelf {
  readonly kind: SnapshotKind;
  readonly store: SessionStore;
  readonly storeName: string;
  readonly bytes: ReadonlyMap<string, number>;
  /** The clients that have marks in it, also those of which a `clear()` has left nothing else. */
  readonly marked: ReadonlySet<string>;
}

/**
 * Lists the clients that have a login in the stores, for example so that a gateway can start them again after a
 * redeploy. It only reads: it starts nothing and takes no lease. The keys of each store are listed once; the snapshots
 * of a client are read when the iteration reaches it.
 *
 * @param options as given to the sessions, without `clientId`: `sessionPath` and `backupPath`, or `store` and `backupStore`
 * @returns an iterable in the order of the ids; each iteration reads the stores again
 * @throws ConfigurationError for a wrong option
 * @throws StoreError if a store does not answer (within 60 s a call), so a store that is down never looks like one
 * without clients. A client whose own files may not be read is listed without `newest`, and the reason is logged.
 *
 * @example
 * for await (const { clientId, revoked, held } of listClients({ sessionPath: '/data/sessions' })) {
 *   if (!revoked && !held) await startBot(clientId);
 * }
 */
export function listClients(options: ListClientsOptions = {}): AsyncIterable<StoredClient> {
  const { signal, ...given } = options;
  if ('clientId' in given) {
    throw new ConfigurationError('clientId: listClients() lists all of them; leave it out');
  }
  const resolved = resolveOptions(given);
  return { [Symbol.asyncIterator]: () => clientsOf(resolved, signal) };
}

async function* clientsOf(options: ResolvedOptions, signal?: AbortSignal): AsyncGenerator<StoredClient> {
  const shelves = await openShelves(options, signal);
  const ids = [...new Set(shelves.flatMap(({ bytes }) => [...bytes.keys()]))].sort();
  for (const id of ids) {
    const client = await clientOf(id, shelves, options, signal);
    if (client !== undefined) yield client;
  }
}

async function openShelves(options: ResolvedOptions, signal?: AbortSignal): Promise<readonly Shelf[]> {
  const { store, backupStore, sessionPath, backupPath, fs } = options;
  const saves = store ?? new FileSystemStore(join(sessionPath, 'store'), { fs });
  const backups = backupStore ?? [new BackupDirStore(backupPath, { fs })];
  const names = uniqueStoreNames([saves, ...backups]);
  const open = async (one: SessionStore, kind: SnapshotKind): Promise<Shelf> => ({
    kind,
    store: one,
    storeName: names.get(one) ?? one.name,
    ...(await lookInto(one, options, signal)),
  });
  const shelves = [await open(saves, 'save')];
  for (const one of backups) shelves.push(await open(one, 'backup'));
  return shelves;
}

async function lookInto(
  store: SessionStore,
  { clock }: ResolvedOptions,
  signal?: AbortSignal,
): Promise<Pick<Shelf, 'bytes' | 'marked'>> {
  const bytes = new Map<string, number>();
  const marked = new Set<string>();
  const objects = await ask(store, async () => store.list('', signal && { signal })[Symbol.asyncIterator]());
  const next = () => withDeadline(clock, CALL_DEADLINE_MS, `listing the store ${store.name}`, objects.next());
  // The loop ends with the listing of the store; only sums are kept in memory.
  signal?.throwIfAborted();
  for (let step = await ask(store, next); !step.done; step = await ask(store, next)) {
    const { key, size } = step.value;
    const id = key.slice(0, Math.max(0, key.indexOf('/')));
    if (!isClientId(id)) continue;
    if (isStateKey(id, key)) {
      marked.add(id);
      continue;
    }
    bytes.set(id, (bytes.get(id) ?? 0) + size);
    if (bytes.size > MAX_CLIENTS) {
      throw new StoreError(`the store ${store.name} holds more than ${MAX_CLIENTS} clients`, {
        operation: 'listClients',
        retryable: false,
      });
    }
  }
  return { bytes, marked };
}

async function clientOf(
  clientId: string,
  shelves: readonly Shelf[],
  options: ResolvedOptions,
  signal?: AbortSignal,
): Promise<StoredClient | undefined> {
  const holding = shelves.filter(({ bytes }) => bytes.has(clientId));
  const found: SnapshotInfo[] = [];
  let isKnown = true;
  for (const shelf of holding) {
    const listed = await snapshotsOf(clientId, shelf, options, signal);
    isKnown = isKnown && listed !== undefined;
    found.push(...(listed ?? []));
  }
  if (isKnown && found.length === 0 && (await isCleared(clientId, shelves, options, signal)))
    return undefined;
  const [newest] = (await ofLoginInPlace(found, clientId, shelves, options, signal)).sort(
    newestBelievableFirst(options.clock.now()),
  );
  const stores = holding.map(({ storeName, kind, bytes }) => ({
    store: storeName,
    kind,
    storedBytes: bytes.get(clientId) ?? 0,
  }));
  return {
    clientId,
    ...(newest !== undefined && { newest }),
    revoked: newest?.revoked ?? false,
    held: newest?.held ?? false,
    stores,
    storedBytes: stores.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
  };
}

/** Whether a login of this client was cleared: what a server has put since is no login any more. */
async function isCleared(
  clientId: string,
  shelves: readonly Shelf[],
  options: ResolvedOptions,
  signal?: AbortSignal,
): Promise<boolean> {
  const ask = (repository: SnapshotRepository) => repository.clearedLineages(signal && { signal });
  const answers = await askMarks(ask, clientId, shelves, options);
  return answers.some((lineages) => lineages.size > 0);
}

/**
 * The snapshots of the login that came to its place last, if there are any; otherwise all. A person may have brought an
 * earlier login back, and that is the one that a start uses.
 */
async function ofLoginInPlace(
  found: readonly SnapshotInfo[],
  clientId: string,
  shelves: readonly Shelf[],
  options: ResolvedOptions,
  signal?: AbortSignal,
): Promise<SnapshotInfo[]> {
  const ask = (repository: SnapshotRepository) => repository.placeLogins(signal && { signal });
  const noted = (await askMarks(ask, clientId, shelves, options)).flat();
  const [latest] = noted.sort((a, b) => (a.since < b.since ? 1 : a.since > b.since ? -1 : 0));
  const inPlace = found.filter(({ lineage }) => lineage === latest?.lineage);
  return inPlace.length > 0 ? inPlace : [...found];
}

/** Asks every store that has marks of this client. */
async function askMarks<T>(
  question: (repository: SnapshotRepository) => Promise<T>,
  clientId: string,
  shelves: readonly Shelf[],
  options: ResolvedOptions,
): Promise<T[]> {
  const what = `reading the marks of ${clientId}`;
  const answers: T[] = [];
  for (const shelf of shelves.filter(({ marked }) => marked.has(clientId))) {
    const repository = repositoryOf(shelf, clientId, options);
    const reading = () => withDeadline(options.clock, CALL_DEADLINE_MS, what, question(repository));
    try {
      answers.push(await ask(shelf.store, reading));
    } catch (error) {
      if (!isDeniedObject(error)) throw error; // told with the snapshots, which may not be read either
    }
  }
  return answers;
}

/** The snapshots of one client in a store; `undefined` if only this client's files may not be read. */
async function snapshotsOf(
  clientId: string,
  shelf: Shelf,
  options: ResolvedOptions,
  signal?: AbortSignal,
): Promise<readonly SnapshotInfo[] | undefined> {
  const { clock, logger } = options;
  const repository = repositoryOf(shelf, clientId, options);
  const what = `reading the snapshots of ${clientId}`;
  const listing = () => withDeadline(clock, CALL_DEADLINE_MS, what, repository.list(signal && { signal }));
  try {
    return await ask(shelf.store, listing);
  } catch (error) {
    if (!isDeniedObject(error)) throw error;
    const store = shelf.storeName;
    logger.warn("the snapshots of a client can't be read", {
      clientId,
      store,
      error: describeError(error),
    });
    return undefined;
  }
}

function repositoryOf(
  { kind, store, storeName }: Shelf,
  clientId: string,
  options: ResolvedOptions,
): SnapshotRepository {
  const { fs, clock, logger, sessionPath } = options;
  const onProblem = (id: string, error: unknown) =>
    logger.warn(`the snapshot ${id} is skipped`, { clientId, error: describeError(error) });
  const shared = { store, storeName, clientId, fs, clock, onProblem, runner: inlineTaskRunner(fs, clock) };
  const stagingDirectory = join(sessionPath, 'staging', clientId);
  return openRepository(kind === 'save' ? { kind } : { kind, stagingDirectory }, shared);
}

/** Turns any error of a store, except an abort, into a `StoreError`. */
async function ask<Answer>(store: SessionStore, question: () => Promise<Answer>): Promise<Answer> {
  try {
    return await question();
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') throw error;
    if (isSessionError(error) && error.code === 'STORE') throw error;
    throw new StoreError(`the store ${store.name} can't be listed: ${describeError(error).message}`, {
      operation: 'listClients',
      cause: error,
    });
  }
}

function isClientId(name: string): boolean {
  try {
    checkClientId(name, 'clientId');
    return true;
  } catch {
    return false; // an unrelated object in the store
  }
}

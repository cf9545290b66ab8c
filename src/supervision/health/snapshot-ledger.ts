import { shortError } from '../../client/start-error.js';
import { type Clock, withDeadline } from '../../clock.js';
import { describeError, isSessionError } from '../../errors.js';
import type { SessionEventName, SessionEventPayloads, SkipReason } from '../../events.js';
import { isDenied } from '../../file-system.js';
import { isBelievable } from '../../snapshot/capture-time.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import { isStandstill } from '../../stores/watched/deadline.js';
import { isThreadFault } from '../../thread-fault.js';
import type { SnapshotInfo, SnapshotKind } from '../../types.js';
import { allRepositories, type SessionContext } from '../context/session-context.js';
import { CopyRefusals } from './copy-refusals.js';
import type { CopyFacts, LastCopy, SilentStore } from './facts.js';

/** Listing a remote store costs money. Between two listings, the events tell which snapshots exist. */
const LIST_EVERY_MS = 300_000;
/** A store that did not answer is asked again after this time. */
const ASK_AGAIN_AFTER_MS = 60_000;
/** Asking whether a store answers costs almost nothing. So a hanging store is reported within half a minute. */
const PING_EVERY_MS = 10_000;
/** Limit for remembered ids of damaged snapshots; the oldest are dropped. */
const MAX_CORRUPT = 200;

type Fault = Pick<SilentStore, 'error' | 'isDenied' | 'isOfThread'>;

/** What is known of one repository. */
interface Listing {
  readonly infos: readonly SnapshotInfo[] | undefined;
  /** Since when the store does not answer, monotonic ms. */
  readonly silentSince?: number | undefined;
  /** What the store has answered since, if it does answer. */
  readonly fault?: Fault | undefined;
}

const UNLISTED: Listing = { infos: undefined };

/** Knows the snapshots of all stores with few requests: it lists them rarely and follows the events. */
export class SnapshotLedger {
  readonly #context: SessionContext;
  readonly #clock: Clock;
  readonly #listings = new Map<SnapshotRepository, Listing>();
  readonly #corrupt = new Set<string>();
  readonly #tries: Record<SnapshotKind, { hasFailed: boolean; confirmedAt: number | undefined }> = {
    save: { hasFailed: false, confirmedAt: undefined },
    backup: { hasFailed: false, confirmedAt: undefined },
  };
  readonly #refusals: CopyRefusals;
  /** Monotonic time of the next listing; 0 means at once. */
  #listingDueAt = 0;
  #listing: Promise<void> | undefined;
  #pingDueAt = 0;
  #pinging: Promise<unknown> | undefined;
  /** Snapshots taken during a listing, which may have missed them. */
  #arrived: SnapshotInfo[] = [];

  constructor(context: SessionContext) {
    this.#context = context;
    this.#clock = context.clock;
    this.#refusals = new CopyRefusals(context.clock);
  }

  /** Call with every event of the session. */
  note<Name extends SessionEventName>(name: Name, payload: SessionEventPayloads[Name]): void {
    const is = <Other extends SessionEventName>(
      other: Other,
      told: unknown,
    ): told is SessionEventPayloads[Other] => other === (name as SessionEventName);
    this.#refusals.note(name, payload);
    if (is('save:completed', payload)) this.#noteTaken(payload.snapshot);
    if (is('backup:completed', payload)) this.#noteTaken(payload.snapshot);
    if (is('save:skipped', payload)) this.#noteSkipped('save', payload.reason);
    if (is('backup:skipped', payload)) this.#noteSkipped('backup', payload.reason);
    if (is('save:failed', payload)) this.#noteFailed('save', payload.error.code);
    if (is('backup:failed', payload)) this.#noteFailed('backup', payload.error.code);
    if (is('corruption:detected', payload) && payload.snapshot) this.#noteCorrupt(payload.snapshot.id);
    if (is('snapshots:pruned', payload)) this.#forget(payload.removed);
    if (is('session:cleared', payload)) this.#forgetAll();
    if (is('session:revoked', payload) || is('session:imported', payload)) this.#listingDueAt = 0;
  }

  /** Lists the stores if that is due. A store that does not answer keeps its last known list. Never rejects. */
  async refresh(): Promise<void> {
    const now = this.#clock.monotonic();
    if (now >= this.#listingDueAt) {
      this.#listing ??= this.#listAll().finally(() => {
        this.#listing = undefined;
      });
    } else if (this.#listing === undefined && now >= this.#pingDueAt) {
      this.#pingDueAt = now + PING_EVERY_MS;
      this.#pinging = Promise.all(allRepositories(this.#context).map((one) => this.#ping(one)));
    }
    await Promise.all([this.#listing, this.#pinging]);
  }

  /** Whether any store has a snapshot that may be restored automatically. */
  get hasUsable(): boolean {
    return allRepositories(this.#context).some((repository) =>
      (this.#listings.get(repository)?.infos ?? []).some((info) => this.#isUsable(info)),
    );
  }

  facts(kind: SnapshotKind): CopyFacts {
    const repositories = allRepositories(this.#context).filter((repository) => repository.kind === kind);
    const listings = repositories.map((repository) => this.#listings.get(repository) ?? UNLISTED);
    const isKnown = listings.some(({ infos }) => infos !== undefined);
    const infos = listings.flatMap((listing) => listing.infos ?? []);
    const last = this.#lastOf(infos);
    const { hasFailed, confirmedAt } = this.#tries[kind];
    const sinceConfirmed = confirmedAt === undefined ? undefined : this.#clock.monotonic() - confirmedAt;
    return {
      count: isKnown ? infos.length : undefined,
      bytes: isKnown ? infos.reduce((sum, { storedBytes }) => sum + storedBytes, 0) : undefined,
      unreachable: repositories.flatMap(({ store }, index) => {
        const since = listings[index]?.silentSince;
        const { fault } = listings[index] ?? {};
        return since === undefined
          ? []
          : [{ name: store.name, forMs: this.#clock.monotonic() - since, ...fault }];
      }),
      last,
      confirmedAgeMs: sinceConfirmed ?? last?.ageMs,
      hasFailed,
      refusal: this.#refusals.told(kind),
    };
  }

  #lastOf(infos: readonly SnapshotInfo[]): LastCopy | undefined {
    const { lineage } = this.#context.record.current;
    let newest: SnapshotInfo | undefined;
    for (const info of infos) {
      if (!this.#isUsable(info) || (lineage !== undefined && info.lineage !== lineage)) continue;
      if (!isBelievable(info, this.#clock.now())) continue;
      if (newest === undefined || info.createdAt > newest.createdAt) newest = info;
    }
    if (newest === undefined) return undefined;
    return {
      createdAt: newest.createdAt,
      ageMs: Math.max(0, this.#clock.now() - Date.parse(newest.createdAt)),
      isVerified: newest.verifiedAt !== undefined,
      isCorrupt: this.#corrupt.has(newest.id),
    };
  }

  #isUsable({ revoked, lineage }: SnapshotInfo): boolean {
    return !revoked && !this.#context.record.current.revokedLineages.includes(lineage);
  }

  async #listAll(): Promise<void> {
    const repositories = allRepositories(this.#context);
    this.#arrived = [];
    this.#listingDueAt = this.#clock.monotonic() + LIST_EVERY_MS; // first, since an event may request another listing
    await Promise.all(repositories.map((repository) => this.#list(repository)));
    const isComplete = repositories.every((repository) => {
      const listing = this.#listings.get(repository);
      return listing !== undefined && listing.silentSince === undefined;
    });
    if (!isComplete) {
      this.#listingDueAt = Math.min(this.#listingDueAt, this.#clock.monotonic() + ASK_AGAIN_AFTER_MS);
    }
  }

  async #list(repository: SnapshotRepository): Promise<void> {
    const { options, logger } = this.#context;
    try {
      const { name } = repository.store;
      const deadlineMs = options.puppeteerTimeoutMs;
      const listed = await withDeadline(this.#clock, deadlineMs, `listing ${name}`, repository.list());
      const ids = new Set(listed.map(({ id }) => id));
      const missed = this.#arrived.filter((info) => belongsTo(repository, info) && !ids.has(info.id));
      this.#listings.set(repository, { infos: [...listed, ...missed] });
    } catch (error) {
      logger.debug('a store could not be listed for the health check', {
        store: repository.store.name,
        error,
      });
      this.#noteSilent(repository, error);
    }
  }

  /** Lists a store that answers again at once, since its content may have changed. */
  async #ping(repository: SnapshotRepository): Promise<void> {
    try {
      await repository.ping?.();
    } catch (error) {
      this.#context.logger.debug('a store did not answer', { store: repository.store.name, error });
      return this.#noteSilent(repository, error);
    }
    if (this.#listings.get(repository)?.silentSince !== undefined) await this.#list(repository);
  }

  #noteSilent(repository: SnapshotRepository, error: unknown): void {
    const { infos, silentSince = this.#clock.monotonic() } = this.#listings.get(repository) ?? UNLISTED;
    this.#listings.set(repository, { infos, silentSince, fault: faultOf(error) });
  }

  #noteTaken(snapshot: SnapshotInfo): void {
    this.#noteConfirmed(snapshot.kind);
    if (this.#listing) this.#arrived.push(snapshot);
    for (const [repository, { infos }] of this.#listings) {
      if (!belongsTo(repository, snapshot)) continue;
      // Without a listing, the number of snapshots is unknown.
      this.#listings.set(repository, { infos: infos && [snapshot, ...infos] });
    }
  }

  #noteConfirmed(kind: SnapshotKind): void {
    this.#tries[kind] = { hasFailed: false, confirmedAt: this.#clock.monotonic() };
  }

  /** A full disk counts as a failure, because nothing is copied until somebody makes room. */
  #noteSkipped(kind: SnapshotKind, reason: SkipReason): void {
    if (reason === 'unchanged') this.#noteConfirmed(kind);
    if (reason === 'no-space') this.#tries[kind].hasFailed = true;
  }

  /** A save that was interrupted by a stop is no failure. */
  #noteFailed(kind: SnapshotKind, code: string): void {
    if (code !== 'CLOSED') this.#tries[kind].hasFailed = true;
  }

  #noteCorrupt(id: string): void {
    this.#corrupt.add(id);
    const [oldest] = this.#corrupt;
    if (oldest !== undefined && this.#corrupt.size > MAX_CORRUPT) this.#corrupt.delete(oldest);
  }

  #forget(ids: readonly string[]): void {
    if (this.#listing) this.#listingDueAt = 0; // the running listing may still contain the deleted snapshots
    for (const [repository, { infos, ...rest }] of this.#listings) {
      this.#listings.set(repository, { infos: infos?.filter(({ id }) => !ids.includes(id)), ...rest });
    }
  }

  #forgetAll(): void {
    this.#listings.clear();
    this.#corrupt.clear();
    this.#arrived = [];
    this.#listingDueAt = 0;
    for (const kind of ['save', 'backup'] as const) {
      this.#tries[kind] = { hasFailed: false, confirmedAt: undefined };
    }
  }
}

function faultOf(error: unknown): Fault | undefined {
  if (isThreadFault(error)) return { error: shortError(describeError(error)), isOfThread: true };
  if (isStandstill(error)) return undefined;
  const isOfRights = isDenied(error) || (isSessionError(error) && isDenied(error.cause));
  return { error: shortError(describeError(error)), isDenied: isOfRights };
}

function belongsTo({ kind, store }: SnapshotRepository, info: SnapshotInfo): boolean {
  return info.kind === kind && info.store === store.name;
}

import { browserVersion } from '../../client/page-probe.js';
import { withDeadline } from '../../clock.js';
import { ClosedError, describeError } from '../../errors.js';
import type { CopySkipped, SkipReason } from '../../events.js';
import type { SaveResult } from '../../results.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import type { SnapshotContext, SnapshotInfo } from '../../types.js';
import { answered, askStores, OTHERS_PATIENCE_MS } from '../context/ask-stores.js';
import type { OperationQueue } from '../context/operation-queue.js';
import { fencingNumberOf, type SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';
import { holdTheRest } from '../login/former-owners.js';
import type { ProfileProof } from '../login/profile-proof.js';
import { freeBytesOfProfile } from '../prune/profile-disk.js';
import type { Pruner } from '../prune/pruner.js';
import type { BlobRescue } from '../restore/blob-rescue.js';
import type { RemovedProfile } from '../watch/removed-profile.js';
import { captureGate } from './capture-gate.js';
import {
  MIN_FREE_BYTES,
  noRoomBeside,
  outcomeOf,
  ROOM_FOR_LOGS_BYTES,
  unsound,
  valuesOf,
} from './copy-outcome.js';
import { LiveCopier } from './live-copier.js';
import {
  type Captured,
  type InTurn,
  inTime,
  passTimeout,
  type SaveRequest,
  type Taken,
  UNCHANGED,
} from './save-request.js';
import type { SettleWatch } from './settle-watch.js';
import { isStillLoggedIn } from './still-logged-in.js';

export interface SaverParts {
  readonly settleWatch: SettleWatch;
  readonly pruner: Pruner;
  readonly snapshots: SessionSnapshots;
  readonly blobRescue: BlobRescue;
  readonly removed: RemovedProfile;
  readonly operations: OperationQueue;
  readonly proof: ProfileProof;
}

/** Takes snapshots: capture, check, store, verify, retain. Captures must not overlap; the session queues them. */
export class Saver {
  readonly #context: SessionContext;
  readonly #settleWatch: SettleWatch;
  readonly #pruner: Pruner;
  readonly #snapshots: SessionSnapshots;
  readonly #copier: LiveCopier;
  readonly #removed: RemovedProfile;
  readonly #operations: OperationQueue;
  readonly #proof: ProfileProof;
  #browserVersion: string | undefined;

  constructor(context: SessionContext, parts: SaverParts) {
    this.#context = context;
    this.#settleWatch = parts.settleWatch;
    this.#pruner = parts.pruner;
    this.#snapshots = parts.snapshots;
    this.#copier = new LiveCopier(context, parts);
    this.#removed = parts.removed;
    this.#operations = parts.operations;
    this.#proof = parts.proof;
  }

  /**
   * Takes one snapshot and announces the result. Rejects when it failed.
   *
   * @param inTurn runs work on the live profile exclusively, in the order of the calls. Writing the copy into a store
   * does not block the next call. Default: the caller already has the turn
   */
  async take(request: SaveRequest, inTurn: InTurn = (work) => work()): Promise<SaveResult> {
    const { announce } = this.#context;
    const skip = (skipped: CopySkipped): SaveResult => {
      announce(`${request.kind}:skipped`, skipped);
      return { skipped: skipped.reason };
    };
    try {
      const result = await this.#take(request, inTurn);
      return 'reason' in result ? skip(result) : result;
    } catch (error) {
      // After any failure, the next capture must read every table again.
      this.#copier.doubt();
      const operation = request.kind === 'save' ? 'forceSave' : 'backup';
      const outcome = outcomeOf(error, operation, (one) => this.#isLost(one));
      if ('skipped' in outcome) return skip(outcome.skipped);
      announce(`${request.kind}:failed`, outcome.failed);
      throw outcome.error;
    }
  }

  // If the lease proves lost here, everything running is aborted, including this call.
  async #refusal({ capture }: SaveRequest): Promise<SkipReason | undefined> {
    if (capture === 'hot' && !this.#isReady()) return 'not-ready';
    const { lease, storeOwnership } = this.#context;
    if (!(await lease.confirm())) return 'no-lease';
    // Only that store refuses the copy if it can't be confirmed.
    await storeOwnership?.confirm();
    return undefined;
  }

  async #take(request: SaveRequest, inTurn: InTurn): Promise<Taken | CopySkipped> {
    let asking: Promise<boolean> | undefined;
    const first = await inTurn(async () => {
      const refusal = await this.#refusal(request);
      if (refusal !== undefined) return { reason: refusal };
      if (request.capture === 'cold') return inTime(request, () => this.#captured(request));
      asking = inTime(request, () => this.#isUnchanged(request));
      const isUnchanged = await this.#soon(asking);
      if (isUnchanged === undefined) return undefined;
      return isUnchanged ? UNCHANGED : inTime(request, () => this.#captured(request));
    });
    if (first === undefined && (await asking)) return UNCHANGED; // only its store is slow, so nobody else waits
    const taken = first ?? (await inTurn(() => inTime(request, () => this.#captured(request))));
    return 'reason' in taken ? taken : inTime(request, () => this.#storeCaptured(request, taken));
  }

  /** Resolves to `undefined` when the result takes too long. */
  #soon<T>(work: Promise<T>): Promise<T | undefined> {
    return withDeadline(this.#context.clock, OTHERS_PATIENCE_MS, 'asking', work).catch(passTimeout);
  }

  // The call that finds the lease lost aborts everything that runs, including itself.
  #isLost(error: unknown): boolean {
    const { lease } = this.#context;
    return describeError(error).code === 'CLOSED' && !lease.isHeld() && !lease.isUnproven();
  }

  /** Makes a sound copy of the profile in its own folder, or tells why there is none. */
  async #captured(request: SaveRequest): Promise<Captured | CopySkipped> {
    const { folders, follower } = this.#context;
    if (request.capture === 'hot' && !this.#isReady()) return { reason: 'not-ready' };
    // Checked before anything is written beside the profile, because a deleted folder must not be recreated.
    if (await folders.presence.isEmpty()) {
      if (request.capture === 'hot') await this.#removed.notice();
      return unsound([{ file: 'Default', problem: 'the profile is empty' }]);
    }
    const doubt = await this.#proof.doubt();
    if (doubt !== undefined) return unsound([doubt]);
    let freeBytes = await freeBytesOfProfile(this.#context);
    if (freeBytes < MIN_FREE_BYTES + ROOM_FOR_LOGS_BYTES && follower.base !== undefined) {
      await follower.stop(); // gives back what its files keep from being freed
      freeBytes = await freeBytesOfProfile(this.#context);
    }
    if (freeBytes < MIN_FREE_BYTES && !(await this.#pruner.makeRoom(MIN_FREE_BYTES))) {
      return noRoomBeside(freeBytes);
    }
    const staging = await folders.createStaging();
    let taken: Captured | CopySkipped | undefined;
    try {
      taken = await this.#captureInto(request, staging, freeBytes);
      return taken;
    } finally {
      if (taken === undefined || 'reason' in taken) await folders.removeStaging(staging);
    }
  }

  async #captureInto(
    request: SaveRequest,
    staging: string,
    freeBytes: number,
  ): Promise<Captured | CopySkipped> {
    const { clock, options, driver } = this.#context;
    if (request.capture === 'hot') {
      this.#browserVersion = await browserVersion(driver, clock, options.puppeteerTimeoutMs);
    }
    const { signal } = request;
    const capturing = () => this.#copier.copy(request, staging, freeBytes);
    const captured = await captureGate.run(capturing, {
      limit: options.maxConcurrentCaptures,
      signal,
      clock,
    });
    if ('reason' in captured) return captured;
    const doubt = await this.#proof.doubt(); // it may have been exchanged during the copy
    if (doubt !== undefined) return unsound([doubt]);
    const { tree, createdAt, dataVersion, base } = captured;
    // The login may have ended during the copy, and what a logout leaves behind must not be saved.
    if (request.capture === 'hot' && !(await isStillLoggedIn(this.#context))) return { reason: 'not-ready' };
    const described = await this.#describe(request, createdAt);
    if (described === undefined) return { reason: 'not-ready' };
    const context = { ...described, ...(dataVersion !== undefined && { dataVersion }) };
    return { tree, context, staging, base };
  }

  // Every store gets its own copy. When one fails, the others still get theirs, but the call fails.
  async #storeCaptured(request: SaveRequest, captured: Captured): Promise<Taken | CopySkipped> {
    const { saves, backups, folders } = this.#context;
    const { context, staging } = captured;
    const repositories = request.kind === 'save' ? [saves] : backups;
    try {
      const results = valuesOf(
        await askStores(repositories, (repository) => this.#store(repository, captured, request)),
      );
      const taken = results.filter((result) => 'snapshot' in result);
      // A local store may be a disk that was not mounted before, and looked empty then.
      const local = repositories.filter(({ store }) => store.localPath !== undefined);
      await this.#snapshots.places.claim(context.lineage, undefined, local);
      await holdTheRest(this.#context);
      await this.#removed.releaseInUse(
        context.lineage,
        taken.map(({ snapshot }) => snapshot),
      );
      return taken[0] ?? UNCHANGED;
    } finally {
      await folders.removeStaging(staging);
    }
  }

  /** What the snapshot says about the session; `undefined` while there is no login to describe. */
  async #describe(request: SaveRequest, createdAt: string): Promise<SnapshotContext | undefined> {
    const { lineage, run, account, browserVersion: lastOpenedBy } = this.#context.record.current;
    if (lineage === undefined) return undefined;
    const version = lastOpenedBy ?? this.#browserVersion;
    return {
      clientId: this.#context.clientId,
      profile: this.#context.profile,
      lineage,
      run,
      ...(account !== undefined && { account }),
      createdAt,
      capture: request.capture,
      settled: request.orderly ?? (await this.#settleWatch.isSettled()),
      state: request.capture === 'cold' ? 'stopping' : this.#context.state(),
      ...(version !== undefined && { browserVersion: version }),
      ...this.#snapshots.importsBefore(lineage),
      generation: fencingNumberOf(this.#context),
    };
  }

  /** Whether every store already holds the current profile, judged by its files' signatures; see `unchanged`. */
  async #isUnchanged(request: SaveRequest): Promise<boolean> {
    const { clock, saves, backups } = this.#context;
    const { signal } = request;
    const context = await this.#describe(request, new Date(clock.now()).toISOString());
    if (context === undefined) return false;
    try {
      const files = await this.#copier.signatures(signal);
      if (files.length === 0) return false;
      const repositories = request.kind === 'save' ? [saves] : backups;
      const ask = (repository: SnapshotRepository) => repository.unchanged(files, context, { signal });
      const answers = await askStores(repositories, ask);
      if (answers.some((answer) => !('value' in answer) || answer.value === undefined)) return false;
      const [same] = answered(answers);
      if (request.kind === 'save' && same?.value) await this.#rememberBasis(same.value);
      return true;
    } catch (error) {
      // Unknown: a store that does not answer must not keep the others from getting a copy.
      if (signal.aborted) throw error;
      return false;
    }
  }

  async #rememberBasis({ id }: SnapshotInfo): Promise<void> {
    const { record } = this.#context;
    if (record.current.basedOn !== id) await record.update({ basedOn: id });
  }

  async #store(
    repository: SnapshotRepository,
    { tree, context, base }: Captured,
    { kind, signal }: SaveRequest,
  ): Promise<Taken | CopySkipped> {
    const { clock, announce, assertOwned, follower } = this.#context;
    const startedAt = clock.monotonic();
    if (signal.aborted) throw new ClosedError(`the ${kind} was aborted`);
    await assertOwned();
    const stored = await repository.create(tree, context, { signal });
    if (kind === 'save') {
      follower.noteSaved(stored.snapshot.id, base);
      await this.#rememberBasis(stored.snapshot);
    }
    if ('skipped' in stored) return { reason: stored.skipped };
    announce(`${kind}:completed`, {
      snapshot: stored.snapshot,
      durationMs: clock.monotonic() - startedAt,
      bytesWritten: stored.bytesWritten,
    });
    await this.#retain(repository);
    return { snapshot: stored.snapshot };
  }

  // Another store may be slow or hang during the removal. The copy is stored, so the caller does not wait long for
  // it.
  async #retain(written: SnapshotRepository): Promise<void> {
    const retaining = this.#operations.beside(() => this.#pruner.retain(written));
    await this.#soon(retaining);
  }

  #isReady(): boolean {
    return this.#context.state() === 'ready';
  }
}

import { browserVersion, isLoggedOutState, lookAtPage } from '../client/page-probe.js';
import { orAborted } from '../clock.js';
import { ClosedError, describeError, errnoOf, isSessionError } from '../errors.js';
import type { SkipReason } from '../events.js';
import { captureTask, liveSignaturesTask } from '../profile/capture-task.js';
import type { SnapshotRepository } from '../snapshot/repository.js';
import type { CapturedTree, CaptureMode, SnapshotContext, SnapshotInfo } from '../types.js';
import type { BlobRescue } from './blob-rescue.js';
import { captureGate } from './capture-gate.js';
import { freeBytesOfProfile } from './profile-disk.js';
import type { Pruner } from './pruner.js';
import type { RemovedProfile } from './removed-profile.js';
import type { SessionContext } from './session-context.js';
import type { SessionSnapshots } from './session-snapshots.js';
import type { SettleWatch } from './settle-watch.js';
import { asSessionError } from './typed-error.js';

/** What a save or a backup came to. */
export type SaveResult = { readonly snapshot: SnapshotInfo } | { readonly skipped: SkipReason };

export interface SaveRequest {
  readonly kind: 'save' | 'backup';
  readonly capture: CaptureMode;
  /** Of a cold capture: whether the browser closed by itself, so that everything had reached the disk. */
  readonly orderly?: boolean;
  readonly signal: AbortSignal;
}

interface Captured {
  readonly tree: CapturedTree;
  readonly createdAt: string;
  readonly dataVersion: string | undefined;
}

/** Free space that must remain after a capture was written; below it the browser itself gets into trouble. */
const MIN_FREE_BYTES = 16 * 1024 * 1024;

/** Takes snapshots: capture, check, store, verify, retain. Calls must not overlap; the session queues them. */
export class Saver {
  readonly #context: SessionContext;
  readonly #settleWatch: SettleWatch;
  readonly #pruner: Pruner;
  readonly #snapshots: SessionSnapshots;
  readonly #blobRescue: BlobRescue;
  readonly #removed: RemovedProfile;
  #browserVersion: string | undefined;

  constructor(
    context: SessionContext,
    settleWatch: SettleWatch,
    pruner: Pruner,
    snapshots: SessionSnapshots,
    blobRescue: BlobRescue,
    removed: RemovedProfile,
  ) {
    this.#context = context;
    this.#settleWatch = settleWatch;
    this.#pruner = pruner;
    this.#snapshots = snapshots;
    this.#blobRescue = blobRescue;
    this.#removed = removed;
  }

  /** Takes one snapshot and announces what came of it. Rejects when it failed. */
  async take(request: SaveRequest): Promise<SaveResult> {
    const { announce } = this.#context;
    try {
      const refusal = await this.#refusal(request);
      const result = refusal === undefined ? await this.#takeInTime(request) : { skipped: refusal };
      if ('skipped' in result) announce(`${request.kind}:skipped`, { reason: result.skipped });
      return result;
    } catch (error) {
      // Whatever failed, the next capture believes nothing it has not read.
      this.#context.soundTables.forget();
      const reason = reasonToSkip(error);
      if (reason !== undefined) {
        announce(`${request.kind}:skipped`, { reason });
        return { skipped: reason };
      }
      const failure = asSessionError(error, request.kind === 'save' ? 'forceSave' : 'backup');
      announce(`${request.kind}:failed`, { error: describeError(failure) });
      throw failure;
    }
  }

  // A lease that is found lost here aborts what runs, this call as well.
  async #refusal({ capture }: SaveRequest): Promise<SkipReason | undefined> {
    if (capture === 'hot' && !this.#isReady()) return 'not-ready';
    return (await this.#context.lease.confirm()) ? undefined : 'no-lease';
  }

  // A store that ignores the abort must not hold the queue. Aborted before: then it is skipped as not ready.
  #takeInTime(request: SaveRequest): Promise<SaveResult> {
    const taking = this.#take(request);
    return request.signal.aborted ? taking : orAborted(taking, request.signal);
  }

  async #take(request: SaveRequest): Promise<SaveResult> {
    const { folders } = this.#context;
    if (request.capture === 'hot' && !this.#isReady()) return { skipped: 'not-ready' };
    if (request.capture === 'hot' && (await this.#isUnchanged(request))) return { skipped: 'unchanged' };
    // Before anything is written beside it: a folder that was deleted must not be made anew.
    if (await folders.presence.isEmpty()) {
      if (request.capture === 'hot') await this.#removed.notice();
      return { skipped: 'unsound' };
    }
    const freeBytes = await freeBytesOfProfile(this.#context);
    if (freeBytes < MIN_FREE_BYTES && !(await this.#pruner.makeRoom(MIN_FREE_BYTES))) {
      return { skipped: 'no-space' };
    }
    const staging = await folders.createStaging();
    try {
      return await this.#captureAndStore(request, staging);
    } finally {
      await folders.removeStaging(staging);
    }
  }

  async #captureAndStore(request: SaveRequest, staging: string): Promise<SaveResult> {
    const { clock, options, driver } = this.#context;
    if (request.capture === 'hot') {
      this.#browserVersion = await browserVersion(driver, clock, options.puppeteerTimeoutMs);
    }
    const { signal } = request;
    const capturing = () => this.#capture(request, staging);
    const captured = await captureGate.run(capturing, {
      limit: options.maxConcurrentCaptures,
      signal,
      clock,
    });
    if (captured === undefined) return { skipped: 'unsound' };
    const { tree, createdAt, dataVersion } = captured;
    // What happened while the files were copied counts: a logout must not be followed by a save of what it left.
    if (request.capture === 'hot' && !(await this.#isStillLoggedIn())) return { skipped: 'not-ready' };
    const described = await this.#describe(request, createdAt);
    if (described === undefined) return { skipped: 'not-ready' };
    const context = { ...described, ...(dataVersion !== undefined && { dataVersion }) };
    return request.kind === 'save'
      ? this.#store(this.#context.saves, tree, context, request)
      : this.#backUp(tree, context, request);
  }

  /** What the snapshot will say of the session; `undefined` while there is no login to speak of. */
  async #describe(request: SaveRequest, createdAt: string): Promise<SnapshotContext | undefined> {
    const { lineage, run, account } = this.#context.record.current;
    if (lineage === undefined) return undefined;
    const version = this.#browserVersion ?? this.#context.browserGuard.version;
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
    };
  }

  /** Whether every store already holds the profile as it is, as far as its files' signatures tell; see `unchanged`. */
  async #isUnchanged(request: SaveRequest): Promise<boolean> {
    const { profileDir, runner, clock, saves, backups } = this.#context;
    const { signal } = request;
    const context = await this.#describe(request, new Date(clock.now()).toISOString());
    if (context === undefined) return false;
    try {
      const files = await runner.run(liveSignaturesTask, { profileDir }, { signal });
      if (files.length === 0) return false;
      for (const repository of request.kind === 'save' ? [saves] : backups) {
        const same = await repository.unchanged(files, context, { signal });
        if (same === undefined) return false;
        if (request.kind === 'save') await this.#rememberBasis(same);
      }
      return true;
    } catch (error) {
      // Not known, then: a store that does not answer must not keep the others from their copy.
      if (signal.aborted) throw error;
      return false;
    }
  }

  async #rememberBasis({ id }: SnapshotInfo): Promise<void> {
    const { record } = this.#context;
    if (record.current.basedOn !== id) await record.update({ basedOn: id });
  }

  /** A copy of the profile, and when it was begun; `undefined` when it is not sound. */
  async #capture({ capture: mode, signal }: SaveRequest, targetDir: string): Promise<Captured | undefined> {
    const { profileDir, runner, announce, soundTables: memory } = this.#context;
    const createdAt = await this.#snapshots.nextCaptureTime();
    const input = { profileDir, targetDir, mode, soundTables: memory.known };
    const capture = await runner.run(captureTask, input, { signal });
    const { tree, report, soundTables, missingBlobs, dataVersion } = capture;
    if (report.verdict === 'sound') {
      memory.known = soundTables;
      this.#blobRescue.tell(missingBlobs);
      return { tree, createdAt, dataVersion };
    }
    memory.forget();
    // `suspect` right after a pairing: half of the login has not reached the disk yet (FACTS 1.5). No damage.
    if (report.verdict === 'corrupt')
      announce('corruption:detected', { where: 'profile', findings: report.findings });
    return undefined;
  }

  // Every backup store gets its own copy. One that fails does not keep the others from theirs; the call fails then.
  async #backUp(tree: CapturedTree, context: SnapshotContext, request: SaveRequest): Promise<SaveResult> {
    let result: SaveResult = { skipped: 'unchanged' };
    const failures: unknown[] = [];
    for (const repository of this.#context.backups) {
      try {
        const stored = await this.#store(repository, tree, context, request);
        if ('snapshot' in stored) result = stored;
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    return result;
  }

  async #store(
    repository: SnapshotRepository,
    tree: CapturedTree,
    context: SnapshotContext,
    { kind, signal }: SaveRequest,
  ): Promise<SaveResult> {
    const { clock, announce, assertOwned } = this.#context;
    const startedAt = clock.monotonic();
    if (signal.aborted) throw new ClosedError(`the ${kind} was aborted`);
    await assertOwned();
    const stored = await repository.create(tree, context, { signal });
    if (kind === 'save') await this.#rememberBasis(stored.snapshot);
    if ('skipped' in stored) return { skipped: stored.skipped };
    announce(`${kind}:completed`, {
      snapshot: stored.snapshot,
      durationMs: clock.monotonic() - startedAt,
      bytesWritten: stored.bytesWritten,
    });
    await this.#pruner.retain();
    return { snapshot: stored.snapshot };
  }

  // The page knows of a logout before the client tells.
  async #isStillLoggedIn(): Promise<boolean> {
    const { driver, clock, options } = this.#context;
    if (!this.#isReady()) return false;
    const look = await lookAtPage(driver, clock, options.puppeteerTimeoutMs);
    return !isLoggedOutState(look?.state) && this.#isReady();
  }

  #isReady(): boolean {
    return this.#context.state() === 'ready';
  }
}

/** What is no failure of the save, but a reason not to take one. */
function reasonToSkip(error: unknown): SkipReason | undefined {
  if (isSessionError(error) && error.code === 'PROFILE_UNSOUND') return 'unsound';
  return errnoOf(rootCause(error)) === 'ENOSPC' ? 'no-space' : undefined;
}

function rootCause(error: unknown): unknown {
  let current = error;
  for (let depth = 0; depth < 10 && current instanceof Error && current.cause !== undefined; depth++) {
    current = current.cause;
  }
  return current;
}

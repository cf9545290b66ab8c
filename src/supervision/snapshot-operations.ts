import { describeError, InvalidStateError, isSessionError, SnapshotNotFoundError } from '../errors.js';
import type { OpenBackup, PruneResult, VerifyReport } from '../results.js';
import type { LocatedSnapshot } from '../snapshot/located-snapshot.js';
import type { SnapshotRepository } from '../snapshot/repository.js';
import { isDamage } from '../snapshot/store-calls/read-faults.js';
import type { SnapshotInfo } from '../types.js';
import { flagOf, snapshotIdOf } from './context/call-arguments.js';
import type { OperationQueue } from './context/operation-queue.js';
import type { SessionContext } from './context/session-context.js';
import type { SessionSnapshots } from './context/session-snapshots.js';
import { FormerLogin, type FoundFormer } from './login/former-login.js';
import { holdForFormerOwners } from './login/former-owners.js';
import type { SessionOwnership } from './ownership/session-ownership.js';
import type { Pruner } from './prune/pruner.js';
import type { SessionClearing } from './prune/session-clearing.js';
import { replaceProfile } from './replace-profile.js';
import { isStoreFault } from './restore/restore-search.js';
import type { Restorer } from './restore/restorer.js';
import type { SessionSupervisor } from './session-supervisor.js';
import type { RemovedProfile } from './watch/removed-profile.js';

export interface OperationParts {
  readonly clearing: SessionClearing;
  readonly snapshots: SessionSnapshots;
  readonly operations: OperationQueue;
  readonly ownership: SessionOwnership;
  readonly pruner: Pruner;
  readonly removed: RemovedProfile;
  readonly restorer: Restorer;
  readonly supervisor: SessionSupervisor;
}

/** The calls that users make besides starting, stopping and saving. Each one waits for its turn. */
export class SnapshotOperations {
  readonly #context: SessionContext;
  readonly #parts: OperationParts;
  readonly #formerLogin: FormerLogin;

  constructor(context: SessionContext, parts: OperationParts) {
    this.#context = context;
    this.#parts = parts;
    this.#formerLogin = new FormerLogin(context, parts);
  }

  async restore(snapshotId?: string): Promise<SnapshotInfo> {
    return replaceProfile(this.#parts, async ({ wasRunning, replace }) => {
      this.#parts.snapshots.lookAgain();
      const wanted = await this.#wanted(
        snapshotId === undefined ? undefined : snapshotIdOf(snapshotId, 'restore'),
      );
      // First, because a healthy bot must not stop for a damaged copy. Without an id, the restore itself checks its
      // candidates.
      if (wasRunning) await this.#assertWhole(wanted);
      if (wasRunning) await this.#assertReadable(wanted);
      await replace(() => this.#install(wanted));
      return wanted.info;
    });
  }

  /** Runs beside saves, whose retention removes old snapshots. A snapshot that disappears meanwhile is not damaged. */
  async verify(snapshotId?: string): Promise<VerifyReport> {
    const { snapshots } = this.#parts;
    const isAll = snapshotId === undefined;
    snapshots.lookAgain();
    const located = isAll
      ? await snapshots.list()
      : [await snapshots.find(snapshotIdOf(snapshotId, 'verify'))];
    const sound: SnapshotInfo[] = [];
    const corrupt: { snapshot: SnapshotInfo; error: { code: string; message: string } }[] = [];
    const unread: { snapshot: SnapshotInfo; error: { code: string; message: string } }[] = [];
    let firstFault: unknown;
    for (const { info, repository } of located) {
      try {
        sound.push(await repository.verify(info.id));
      } catch (error) {
        const gone = isDamage(error) ? await whyGone(repository, info.id) : error;
        if (isAll && isNotFound(gone)) continue;
        if (gone !== undefined) {
          if (!isAll || !isStoreFault(gone)) throw gone;
          firstFault ??= gone;
          unread.push({ snapshot: info, error: describeError(gone) });
          continue;
        }
        const described = describeError(error);
        corrupt.push({ snapshot: info, error: described });
        const findings = [{ file: info.id, problem: described.message }];
        this.#context.announce('corruption:detected', { where: 'snapshot', snapshot: info, findings });
      }
    }
    if (firstFault !== undefined && sound.length + corrupt.length === 0) throw firstFault;
    this.#tellUnread(unread);
    return { sound, corrupt, unread };
  }

  #tellUnread(unread: VerifyReport['unread']): void {
    for (const store of new Set(unread.map(({ snapshot }) => snapshot.store))) {
      const ofStore = unread.filter(({ snapshot }) => snapshot.store === store);
      this.#context.warn(
        'snapshot-unreadable',
        `${ofStore.length} snapshots were not verified: ${store} can't deliver them: ${ofStore[0]?.error.message}`,
      );
    }
  }

  async openBackup(snapshotId: string): Promise<OpenBackup> {
    const { snapshots } = this.#parts;
    snapshots.lookAgain();
    const { info, repository } = await snapshots.find(snapshotIdOf(snapshotId, 'openBackup'));
    if (!repository.open) {
      throw new InvalidStateError(
        `${info.id} is a save, not a zip: call backup() and open the backup that it returns`,
      );
    }
    const snapshot = await repository.verify(info.id);
    return { snapshot, body: await repository.open(info.id) };
  }

  async listSnapshots(): Promise<readonly SnapshotInfo[]> {
    const { snapshots } = this.#parts;
    snapshots.lookAgain();
    return (await snapshots.list()).map(({ info }) => info);
  }

  prune(): Promise<PruneResult> {
    const { supervisor, ownership, operations, pruner, snapshots } = this.#parts;
    return ownership.during(() =>
      operations.exclusive(() => {
        snapshots.lookAgain();
        return pruner.pruneAll(!supervisor.isRunning);
      }),
    );
  }

  async clear(options: { readonly logout?: boolean }): Promise<void> {
    const logout = flagOf(options, 'logout', 'clear');
    const { supervisor } = this.#parts;
    const clearing = supervisor.turns.take(() =>
      supervisor.whileHalted(() => this.#deleteAll(logout), { logout }),
    );
    supervisor.holdStarts(clearing);
    await clearing;
  }

  #install(wanted: LocatedSnapshot): Promise<void> {
    const { ownership, operations, restorer } = this.#parts;
    return ownership.during(() =>
      operations.exclusive(async () => {
        await this.#context.record.load();
        await holdForFormerOwners(this.#context);
        await this.#parts.clearing.giveUp();
        await this.#context.browserGuard.learn(false);
        await this.#context.browserOwner.reclaimProfile();
        const former = await this.#formerLogin.find();
        await restorer.restore(wanted, 'requested', NEVER_ABORTED);
        await this.#forgive(wanted, former);
      }),
    );
  }

  async #deleteAll(isUnlinked: boolean): Promise<void> {
    const { ownership, operations, clearing } = this.#parts;
    const { announce, moveTo, record, browserOwner } = this.#context;
    await ownership.during(() =>
      operations.exclusive(async () => {
        await browserOwner.reclaimProfile();
        await record.load();
        await holdForFormerOwners(this.#context);
        this.#parts.snapshots.lookAgain();
        const count = await clearing.run({ isUnlinked });
        announce('session:cleared', { snapshots: count });
      }),
    );
    moveTo('idle');
  }

  async #wanted(snapshotId: string | undefined): Promise<LocatedSnapshot> {
    const { snapshots } = this.#parts;
    if (snapshotId !== undefined) return snapshots.find(snapshotId);
    // Loads what was revoked or rejected, also in a process that has not started yet.
    if (!this.#parts.supervisor.isRunning) await this.#context.record.load();
    const [best] = await this.#parts.restorer.bestFirst(
      await snapshots.candidates(undefined, { isAskedFor: true }),
    );
    if (best) return best;
    const { lineage, basedOn } = this.#context.record.current;
    const { ours } = await snapshots.sorted();
    const isSaved = ours.some(({ info }) => info.lineage === lineage);
    if (lineage !== undefined && !isSaved && ours.length > 0) {
      // A login that restore(id) has made of a revoked one is still as it was there.
      const origin = ours.find(({ info }) => info.id === basedOn);
      if (origin !== undefined) return origin;
      throw new SnapshotNotFoundError(
        'the login in place has no snapshot yet, and those that are there are of another login; see listSnapshots(), and ' +
          'call restore(id) for one of them',
        { operation: 'restore' },
      );
    }
    const { newest: other } = await snapshots.ofOtherProfiles();
    const instead = other
      ? `; those of '${other.clientId}' were made for another profile (${other.profile?.path}): if they are this bot's, ` +
        `call restore('${other.id}')`
      : '';
    throw new SnapshotNotFoundError(`there is no snapshot to restore; see listSnapshots()${instead}`, {
      operation: 'restore',
    });
  }

  async #assertWhole({ info, repository }: LocatedSnapshot): Promise<void> {
    try {
      await repository.verify(info.id);
    } catch (error) {
      this.#context.announce('restore:failed', { error: describeError(error), snapshot: info });
      throw error;
    }
  }

  async #assertReadable(wanted: LocatedSnapshot): Promise<void> {
    const refusal = await this.#context.browserGuard.refusalOfSnapshot(wanted);
    if (refusal === undefined) return;
    this.#context.announce('restore:failed', { error: describeError(refusal), snapshot: wanted.info });
    throw refusal;
  }

  /** Clears earlier rejections, because a human asked for this snapshot. */
  async #forgive(snapshot: LocatedSnapshot, former: FoundFormer): Promise<void> {
    const { id, lineage } = snapshot.info;
    const { rejectedSnapshots, rejectedLineages } = this.#context.record.current;
    await this.#formerLogin.note(
      former,
      { snapshot },
      {
        rejectedSnapshots: rejectedSnapshots.filter((rejected) => rejected !== id),
        rejectedLineages: rejectedLineages.filter((rejected) => rejected !== lineage),
      },
    );
    await this.#parts.removed.release(lineage);
  }
}

const NEVER_ABORTED = new AbortController().signal;

/** The error for an id that the repository no longer has; `undefined` when the snapshot exists, damaged or not. */
function whyGone(repository: SnapshotRepository, id: string): Promise<unknown> {
  return repository.manifest(id).then(
    () => undefined,
    (error: unknown) => (isNotFound(error) ? error : undefined),
  );
}

function isNotFound(error: unknown): boolean {
  return isSessionError(error) && error.code === 'SNAPSHOT_NOT_FOUND';
}

import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { orAborted, withDeadline } from '../../clock.js';
import { isSessionError, LeaseHeldError, ProfileLockedError } from '../../errors.js';
import { whileAlive } from '../../keep-alive.js';
import type { LeaseGrant, LocalLease } from '../../lease/local-lease.js';
import { foldersToMake, removeFolders } from '../../profile/folders-made.js';
import { exists } from '../../profile/walk.js';
import { fencingNumberOf, type SessionContext } from '../context/session-context.js';
import { holdProfile, makeWay, PATIENCE_MS, type ProfileHolder } from './profile-holders.js';
import { type ShutdownCoordinator, shutdownCoordinator } from './shutdown-signals.js';

/** Time limit for the look at the folders of a lease that a stopped session takes, ms. */
const FOLDERS_DEADLINE_MS = 10_000;

/** Manages what a running session holds: the leases, the profile and the process's signals. */
export class SessionOwnership {
  readonly #context: SessionContext;
  readonly #coordinator: ShutdownCoordinator;
  readonly #budgetMs: number;
  #unregister: (() => void) | undefined;
  /** Number of calls that work as owner without a running session. The session may start or stop during them. */
  #guests = 0;
  /** Number of calls that stop the session and then work in its place. They keep the ownership after the stop. */
  #keepers = 0;
  #isRunning = false;
  /** The running session, as other sessions of this process see it when they want its profile. */
  #holder: ProfileHolder | undefined;
  #leave: (() => void) | undefined;
  /** The running acquisition; concurrent callers share it. */
  #acquiring: Promise<void> | undefined;
  /** Deleted folders that were recreated for as long as the lease needs them. */
  #made: readonly string[] = [];
  #releasing: Promise<void> | undefined;

  constructor(
    context: SessionContext,
    parameters: {
      /** How long the process waits for the final save on a signal, ms. */
      readonly budgetMs: number;
      readonly coordinator?: ShutdownCoordinator;
    },
  ) {
    this.#context = context;
    this.#coordinator = parameters.coordinator ?? shutdownCoordinator;
    this.#budgetMs = parameters.budgetMs;
  }

  /**
   * @throws LeaseHeldError when another live process owns the session
   * @throws ProfileLockedError when another session of this process keeps the profile. A session that is being closed
   * is waited for; one that its bot no longer needs is retired.
   * @throws LeaseLostError when a concurrent call that works as owner has lost the lease
   */
  async take(shutdown: () => Promise<void>, holder: ProfileHolder, signal?: AbortSignal): Promise<void> {
    this.#holder = holder;
    const wasGuest = !this.#isRunning && this.#leave !== undefined;
    this.#isRunning = true; // now, so that a call that ends meanwhile does not release it
    if (wasGuest) this.#holdPlace(); // tells those that wait for the call's end that a session stays
    try {
      await this.#acquire(signal);
    } catch (error) {
      this.#isRunning = false;
      await this.#releaseUnlessUsed();
      throw error;
    }
    this.#unregister ??= this.#coordinator.register({
      signals: this.#context.options.shutdownSignals,
      shutdown,
      budgetMs: this.#budgetMs,
    });
  }

  /** Idempotent. Never rejects; a lease that could not be released is taken over later. */
  async giveUp(): Promise<void> {
    this.#unregister?.();
    this.#unregister = undefined;
    this.#isRunning = false;
    await this.#releaseUnlessUsed();
  }

  /** Runs `work` as owner, whether the session runs or not. */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    return whileAlive(async () => {
      this.#guests++;
      try {
        await this.#acquire();
        return await work();
      } finally {
        this.#guests--;
        await this.#releaseUnlessUsed();
      }
    });
  }

  /**
   * Like {@link during}, but no other session gives up the profile for it, and deleted folders do not exist
   * afterwards.
   *
   * @throws LeaseHeldError when another process has the session, or has had it in the meantime; ProfileLockedError
   * when another session of this process has the profile
   */
  async whileUnused(work: () => Promise<void>): Promise<void> {
    const { lease, profileLease, storeOwnership } = this.#context;
    for (const one of [lease, profileLease]) {
      if ((await one.lastOwner()) !== 'another') continue;
      throw new LeaseHeldError(`another process has used the session since: ${one.directory}`);
    }
    if ((await storeOwnership?.lastOwner()) === 'another') {
      throw new LeaseHeldError('another machine has used the session since');
    }
    await whileAlive(async () => {
      this.#guests++;
      try {
        await this.#acquire(undefined, true);
        await work();
      } finally {
        this.#guests--;
        await this.#releaseUnlessUsed();
      }
    });
  }

  /** Keeps the ownership during `work`, even when `work` stops the session. Does not acquire what is not owned yet. */
  async keep<Result>(work: () => Promise<Result>): Promise<Result> {
    return whileAlive(async () => {
      this.#keepers++;
      try {
        return await work();
      } finally {
        this.#keepers--;
        await this.#releaseUnlessUsed();
      }
    });
  }

  async #acquire(signal?: AbortSignal, isShy = false): Promise<void> {
    // Join a running acquisition. If that one fails, for example because it was aborted, try again.
    const joined = this.#acquiring;
    if (joined !== undefined) {
      const failing = joined.then(() => false).catch(() => true);
      const failed = await (signal === undefined ? failing : orAborted(failing, signal));
      if (!failed) return;
    }
    // A call already works as owner. If the ownership proves lost, it must not be acquired anew during that call.
    if (this.#context.ownershipEpoch.name !== undefined) return this.#context.assertOwned();
    this.#acquiring ??= this.#acquireNow(signal, isShy).finally(() => {
      this.#acquiring = undefined;
    });
    return this.#acquiring;
  }

  async #acquireNow(signal: AbortSignal | undefined, isShy: boolean): Promise<void> {
    const { lease, browserOwner, announce, ownershipEpoch, clock, fs, settlePlace } = this.#context;
    const { profileLease, startWaits, storeOwnership } = this.#context;
    await settlePlace();
    const place = { fs, realPath: this.#context.profile.path };
    await this.#releasing;
    if (this.#leave === undefined && !isShy) {
      const leaving = () => makeWay(place, { clock, signal });
      await startWaits.during({ kind: 'session' }, PATIENCE_MS, leaving);
    }
    browserOwner.claim();
    if (this.#leave === undefined) this.#holdPlace();
    try {
      if (isShy && !this.#isRunning) this.#made = await this.#foldersToMake();
      // When the profile was deleted with everything beside it, it needs no lease any more.
      const isWanted = !isShy || (await exists(fs, dirname(profileLease.directory)));
      // In parallel, because each may have to watch another machine's heartbeat for half a minute.
      const [session, profile] = await Promise.allSettled([
        this.#acquireLease(lease, signal),
        isWanted ? this.#acquireProfile(signal) : undefined,
      ]);
      if (session.status === 'rejected') throw session.reason;
      if (profile.status === 'rejected') throw profile.reason;
      // Last, because it may wait for minutes for the process that this one replaces on another machine.
      await storeOwnership?.take(signal);
      ownershipEpoch.name = randomUUID();
      announce('lease:acquired', { owner: session.value.owner, generation: fencingNumberOf(this.#context) });
    } catch (error) {
      await this.#release();
      throw error;
    }
  }

  // A disk that hangs must not keep the next user of the session waiting for this call.
  async #foldersToMake(): Promise<readonly string[]> {
    const { clock, fs, lease } = this.#context;
    const looking = foldersToMake(fs, lease.directory);
    try {
      return await withDeadline(clock, FOLDERS_DEADLINE_MS, 'looking for the folders of the lease', looking);
    } catch (error) {
      void looking.then((late) => removeFolders(fs, late)).catch(() => undefined);
      throw error;
    }
  }

  #holdPlace(): void {
    const { fs, profile } = this.#context;
    const leaveBefore = this.#leave;
    this.#leave = holdProfile(
      { fs, realPath: profile.path },
      {
        stance: () => (this.#isRunning && this.#holder ? this.#holder.stance() : 'leaving'),
        retire: () => this.#holder?.retire() ?? Promise.resolve(),
      },
    );
    leaveBefore?.();
  }

  async #acquireLease(lease: LocalLease, signal: AbortSignal | undefined): Promise<LeaseGrant> {
    const { startWaits } = this.#context;
    let end: (() => void) | undefined;
    try {
      return await lease.acquire({
        ...(signal && { signal }),
        onWatch: (holder, maxMs) => {
          end?.();
          const who = holder && { host: holder.host, pid: holder.pid };
          end = startWaits.begin({ kind: 'lease', holder: who }, maxMs);
        },
      });
    } finally {
      end?.();
    }
  }

  // This lease lies beside the profile. Without it, two containers that share the profile but not the saves folder
  // would each take the other's browser lock for a stale one (docs/chromium-facts.md F1.6).
  async #acquireProfile(signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#acquireLease(this.#context.profileLease, signal);
    } catch (error) {
      if (!isSessionError(error) || error.code !== 'LEASE_HELD') throw error;
      throw new ProfileLockedError(
        `the profile is in use by a session with other folders for its saves: ${error.message}`,
        { cause: error },
      );
    }
  }

  #release(): Promise<void> {
    this.#releasing ??= this.#releaseNow().finally(() => {
      this.#releasing = undefined;
    });
    return this.#releasing;
  }

  async #releaseNow(): Promise<void> {
    const { lease, profileLease, storeOwnership, browserOwner, logger } = this.#context;
    browserOwner.unclaim();
    await storeOwnership?.giveUp();
    const made = this.#made;
    this.#made = [];
    for (const held of [lease, profileLease]) {
      const withoutTrace = held === lease && made.length > 0;
      await held
        .release({ withoutTrace })
        .catch((error: unknown) => logger.warn('a lease was not released', { error }));
    }
    await removeFolders(this.#context.fs, made);
    // A new user of this session comes before others that wait for the profile.
    if (this.#isRunning || this.#guests > 0 || this.#keepers > 0) return;
    this.#leave?.();
    this.#leave = undefined;
  }

  async #releaseUnlessUsed(): Promise<void> {
    const { runner, logger, ownershipEpoch } = this.#context;
    if (this.#isRunning || this.#guests > 0 || (await this.#isKept())) return;
    ownershipEpoch.name = undefined; // nothing may start in a thread that is ending
    await runner.close().catch((error: unknown) => logger.warn('the worker did not end', { error }));
    if (this.#isRunning || this.#guests > 0 || (await this.#isKept())) return; // somebody uses it again
    await this.#release();
  }

  // A lease lost to another process can't be kept. The work then acquires it again, and the error tells who has it.
  async #isKept(): Promise<boolean> {
    const { lease, profileLease } = this.#context;
    return this.#keepers > 0 && (await lease.confirm()) && (await profileLease.confirm());
  }
}

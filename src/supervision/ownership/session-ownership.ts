import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { isSessionError, LeaseHeldError, ProfileLockedError } from '../../errors.js';
import { whileAlive } from '../../keep-alive.js';
import { foldersToMake, removeFolders } from '../../profile/folders-made.js';
import { exists } from '../../profile/walk.js';
import type { SessionContext } from '../context/session-context.js';
import { holdProfile, makeWay, type ProfileHolder } from './profile-holders.js';
import { type ShutdownCoordinator, shutdownCoordinator } from './shutdown-signals.js';

/** What a running session holds: the lease, the profile, and the process's signals. */
export class SessionOwnership {
  readonly #context: SessionContext;
  readonly #coordinator: ShutdownCoordinator;
  readonly #budgetMs: number;
  #unregister: (() => void) | undefined;
  /** Calls that work as owner without the session running; it may start or stop under them. */
  #guests = 0;
  /** Calls that stop the session and then work in its place: what is owned stays theirs from the stop on. */
  #keepers = 0;
  #isRunning = false;
  /** The session that runs, to others of this process that want its profile. */
  #holder: ProfileHolder | undefined;
  #leave: (() => void) | undefined;
  /** One acquisition for all who want it at the same time. */
  #acquiring: Promise<void> | undefined;
  /** Folders that were deleted, and are there for as long as the lease needs them. */
  #made: readonly string[] = [];
  #releasing: Promise<void> | undefined;

  constructor(
    context: SessionContext,
    parameters: {
      /** How long the process waits for the final save on a signal. */
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
   * @throws ProfileLockedError when another session of this process has the profile and keeps it. One that is being
   * closed is waited for; one that is of no use to its bot any more retires.
   * @throws LeaseLostError when a call that works as owner meanwhile has lost it
   */
  async take(shutdown: () => Promise<void>, holder: ProfileHolder, signal?: AbortSignal): Promise<void> {
    this.#holder = holder;
    const wasGuest = !this.#isRunning && this.#leave !== undefined;
    this.#isRunning = true; // at once: a call that ends meanwhile must not give away what this one gets
    if (wasGuest) this.#holdPlace(); // who waits for a call to end is told that a session stays
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

  /** Idempotent. Never rejects: a lease that could not be released is taken over later. */
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
   * As {@link during}, but nobody makes way for it, and no folder that was deleted is there afterwards.
   *
   * @throws LeaseHeldError when another process has the session, or has had it since this one; ProfileLockedError when
   * another session of this process has the profile
   */
  async whileUnused(work: () => Promise<void>): Promise<void> {
    const { lease, profileLease } = this.#context;
    for (const one of [lease, profileLease]) {
      if ((await one.lastOwner()) !== 'another') continue;
      throw new LeaseHeldError(`another process has used the session since: ${one.directory}`);
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

  /** Lets go of nothing during `work`, also where it stops the session; what is not owned yet is not taken either. */
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
    // Who comes while another acquires gets what that one got; or tries by itself, where that one was called off.
    const joined = this.#acquiring;
    if (joined !== undefined) {
      const failed = await joined.then(() => false).catch(() => true);
      signal?.throwIfAborted();
      if (!failed) return;
    }
    // Somebody works as owner already: one who finds that over must not become a new one under their feet.
    if (this.#context.ownershipEpoch.name !== undefined) return this.#context.assertOwned();
    this.#acquiring ??= this.#acquireNow(signal, isShy).finally(() => {
      this.#acquiring = undefined;
    });
    return this.#acquiring;
  }

  async #acquireNow(signal: AbortSignal | undefined, isShy: boolean): Promise<void> {
    const { lease, profileLease, browserOwner, announce, ownershipEpoch, clock, fs, settlePlace } =
      this.#context;
    await settlePlace();
    const place = { fs, realPath: this.#context.profile.path };
    await this.#releasing;
    if (this.#leave === undefined && !isShy) await makeWay(place, { clock, signal });
    browserOwner.claim();
    if (this.#leave === undefined) this.#holdPlace();
    try {
      if (isShy && !this.#isRunning) this.#made = await foldersToMake(fs, lease.directory);
      // A profile that was deleted with all that lies beside it needs no lease any more.
      const isWanted = !isShy || (await exists(fs, dirname(profileLease.directory)));
      // Both at once: each may have to watch another machine's heartbeat for half a minute.
      const [session, profile] = await Promise.allSettled([
        lease.acquire(signal && { signal }),
        isWanted ? this.#acquireProfile(signal) : undefined,
      ]);
      if (session.status === 'rejected') throw session.reason;
      if (profile.status === 'rejected') throw profile.reason;
      ownershipEpoch.name = randomUUID();
      announce('lease:acquired', { owner: session.value.owner, generation: session.value.generation });
    } catch (error) {
      await this.#release();
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

  // Beside the profile: two containers that share it, but not the folder of the saves, must not each take the other's
  // browser lock for a stale one (docs/chromium-facts.md F1.6).
  async #acquireProfile(signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#context.profileLease.acquire(signal && { signal });
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
    const { lease, profileLease, browserOwner, logger } = this.#context;
    browserOwner.unclaim();
    const made = this.#made;
    this.#made = [];
    for (const held of [lease, profileLease]) {
      const withoutTrace = held === lease && made.length > 0;
      await held
        .release({ withoutTrace })
        .catch((error: unknown) => logger.warn('a lease was not released', { error }));
    }
    await removeFolders(this.#context.fs, made);
    // Who has come meanwhile is before those who wait for the place.
    if (this.#isRunning || this.#guests > 0 || this.#keepers > 0) return;
    this.#leave?.();
    this.#leave = undefined;
  }

  async #releaseUnlessUsed(): Promise<void> {
    const { runner, logger, ownershipEpoch } = this.#context;
    if (this.#isRunning || this.#guests > 0 || (await this.#isKept())) return;
    ownershipEpoch.name = undefined; // nobody begins anything in the thread that ends now
    await runner.close().catch((error: unknown) => logger.warn('the worker did not end', { error }));
    if (this.#isRunning || this.#guests > 0 || (await this.#isKept())) return; // somebody has come meanwhile
    await this.#release();
  }

  // What was lost to another process can't be kept: the work then asks for it anew, and hears who has it.
  async #isKept(): Promise<boolean> {
    const { lease, profileLease } = this.#context;
    return this.#keepers > 0 && (await lease.confirm()) && (await profileLease.confirm());
  }
}

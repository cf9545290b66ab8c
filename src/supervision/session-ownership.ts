import type { SessionContext } from './session-context.js';
import { type ShutdownCoordinator, shutdownCoordinator } from './shutdown-signals.js';

/** What a running session holds: the lease, the profile, and the process's signals. */
export class SessionOwnership {
  readonly #context: SessionContext;
  readonly #coordinator: ShutdownCoordinator;
  readonly #budgetMs: number;
  #unregister: (() => void) | undefined;

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
   * @throws ProfileLockedError when another session of this process has the profile
   */
  async take(shutdown: () => Promise<void>, signal?: AbortSignal): Promise<void> {
    const { lease, browserOwner, announce, options } = this.#context;
    browserOwner.claim();
    try {
      if (!lease.isHeld()) {
        const { owner, generation } = await lease.acquire(signal && { signal });
        announce('lease:acquired', { owner, generation });
      }
    } catch (error) {
      browserOwner.unclaim();
      throw error;
    }
    this.#unregister ??= this.#coordinator.register({
      signals: options.shutdownSignals,
      shutdown,
      budgetMs: this.#budgetMs,
    });
  }

  /** Idempotent. Never rejects: a lease that could not be released is taken over later. */
  async giveUp(): Promise<void> {
    const { lease, browserOwner, runner, logger } = this.#context;
    this.#unregister?.();
    this.#unregister = undefined;
    browserOwner.unclaim();
    await runner.close().catch((error: unknown) => logger.warn('the worker did not end', { error }));
    await lease.release().catch((error: unknown) => logger.warn('the lease was not released', { error }));
  }

  /** Runs `work` as owner, whether the session runs or not. */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#unregister) return work();
    await this.take(async () => undefined);
    try {
      return await work();
    } finally {
      await this.giveUp();
    }
  }
}

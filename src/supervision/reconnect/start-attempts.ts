import { isPassingFault } from '../../busy.js';
import { obstacleOf } from '../../client/start-error.js';
import { isUnanswered } from '../../disk-gate/gated-file-system.js';
import { isSessionError, toError } from '../../errors.js';
import { isThreadResting } from '../../thread-fault.js';
import { isNotProvenOwner } from '../../write-permit.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionStarter, StartResult } from '../start/session-starter.js';
import type { FruitlessStarts } from './fruitless-starts.js';
import { isShort } from './setback.js';
import { isTooOld, type LastError } from './start-failures.js';

/** What must be done before the client is started. */
export interface Preconditions {
  /**
   * Acquires what a session needs before its first start. Its rejection is final, except for a full disk: then it is
   * part of the attempt and is repeated with the next one.
   */
  readonly own?: (() => Promise<void>) | undefined;
  /** What must succeed before the next start, such as writing down a logout. It is repeated with each attempt. */
  readonly before?: (() => Promise<void>) | undefined;
}

export type StartAttemptsContext = Pick<SessionContext, 'options'> & {
  readonly lease: Pick<SessionContext['lease'], 'isUnproven'>;
};

/** Makes one attempt to start after the other, each when it is told to, and judges how it has ended. */
export class StartAttempts {
  readonly #context: StartAttemptsContext;
  readonly #parts: {
    readonly starter: Pick<SessionStarter, 'start'>;
    readonly fruitless: FruitlessStarts;
    readonly lastError: LastError;
  };
  /** What is still to be acquired; see {@link Preconditions.own}. */
  #own: Preconditions['own'];
  /** What still has to be done; see {@link Preconditions.before}. */
  #before: Preconditions['before'];
  /** Whether the session was up before; then no local fault that heals by itself ends it. */
  #wasUp = false;

  constructor(
    context: StartAttemptsContext,
    parts: {
      readonly starter: Pick<SessionStarter, 'start'>;
      readonly fruitless: FruitlessStarts;
      readonly lastError: LastError;
    },
  ) {
    this.#context = context;
    this.#parts = parts;
  }

  /** Begins a series of attempts. */
  begin({ own, before, wasUp }: Preconditions & { readonly wasUp: boolean }): void {
    this.#own = own;
    this.#before = before;
    this.#wasUp = wasUp;
  }

  /**
   * @param options `isFinal`: whether an error ends the series at once; by default none does. `isFirst`: whether it is
   * the first start of a run, not a further attempt
   * @throws what ends the series: such an error, that of `own` except for a full disk, a lost lease, a browser that is too old,
   * the reason of `signal`
   */
  async make(
    signal: AbortSignal,
    {
      isFinal = () => false,
      isFirst = false,
    }: { isFinal?: (error: unknown) => boolean; isFirst?: boolean } = {},
  ): Promise<StartResult> {
    const { starter, fruitless, lastError } = this.#parts;
    try {
      await this.#own?.();
      this.#own = undefined;
      await this.#before?.();
      this.#before = undefined;
      const result = this.#waitedOut(await starter.start(signal, { isFirst }));
      signal.throwIfAborted();
      fruitless.note(result);
      const yields = this.#context.options.onConflict === 'stop';
      if (result.kind === 'failed' && result.cause === 'conflict' && yields) {
        return { kind: 'gave-up', cause: 'conflict' };
      }
      if (result.kind === 'failed') lastError.note(result.error, result.cause);
      return result;
    } catch (error) {
      if (this.#own !== undefined && !isShort(error)) throw error;
      if (signal.aborted || isFinal(error) || this.#isLeaseLost(error) || isTooOld(error)) throw error;
      lastError.note(error);
      const obstacle = obstacleOf({ error, launched: false });
      const failure = { kind: 'failed', cause: 'start-failed', error: toError(error) } as const;
      const awaitsMachine = isUnanswered(error) || isNotProvenOwner(error);
      const result = this.#waitedOut({ ...failure, awaitsMachine, ...(obstacle && { obstacle }) });
      fruitless.note(result);
      return result;
    }
  }

  // A full disk, or one that fails for a while, must not leave a session that was up to whoever calls reconnect(). While
  // the worker thread rests, an attempt can't even begin.
  #waitedOut(result: StartResult): StartResult {
    if (result.kind !== 'failed') return result;
    if (!isThreadResting(result.error) && !(this.#wasUp && isPassingFault(result.error))) return result;
    return { ...result, awaitsMachine: true };
  }

  // A lease that can't be checked now is no reason to end the session.
  #isLeaseLost(error: unknown): boolean {
    return isSessionError(error) && error.code === 'LEASE_LOST' && !this.#context.lease.isUnproven();
  }
}

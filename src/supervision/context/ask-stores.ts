import { type Clock, withDeadline } from '../../clock.js';
import { isStoreError, StoreError, TimeoutError } from '../../errors.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';

/** The answer or the failure of one store. */
export type StoreAnswer<T> =
  | { readonly repository: SnapshotRepository; readonly value: T }
  | { readonly repository: SnapshotRepository; readonly error: unknown };

/**
 * How long a start with a sound profile waits for each store, over all questions together, ms. So stores delay it by
 * 5 s at most.
 */
export const START_PATIENCE_MS = 4_500;

/** How long an immediate copy waits for stores to which it is not written, ms. */
export const OTHERS_PATIENCE_MS = 100;

/** A time limit for each store, over all questions that share this object. */
export class StorePatience {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #spent = new Map<SnapshotRepository, number>();

  /** For those who can do without the answer. Such a short time tells nothing about the store. */
  static brief(clock: Clock): StorePatience {
    return new StorePatience(clock, OTHERS_PATIENCE_MS);
  }

  /** Whether a healthy store may well take longer. */
  get isBrief(): boolean {
    return this.#ms <= OTHERS_PATIENCE_MS;
  }

  constructor(clock: Clock, ms: number) {
    this.#clock = clock;
    this.#ms = ms;
  }

  /** @throws TimeoutError when the store has used up its time */
  async wait<T>(repository: SnapshotRepository, ask: () => Promise<T>): Promise<T> {
    const spent = this.#spent.get(repository) ?? 0;
    const { name } = repository.store;
    if (spent >= this.#ms) throw new TimeoutError(`${name} took longer than ${this.#ms} ms before`);
    const from = this.#clock.monotonic();
    try {
      return await withDeadline(this.#clock, this.#ms - spent, `asking ${name}`, ask());
    } finally {
      this.#spent.set(repository, spent + this.#clock.monotonic() - from);
    }
  }
}

/**
 * Asks several stores at the same time, so that one silent store does not block the others' answers. Never rejects;
 * the answers are in the order of the repositories.
 *
 * @param patience a store that does not answer within it counts as failed; default: no limit
 */
export async function askStores<T>(
  repositories: Iterable<SnapshotRepository>,
  ask: (repository: SnapshotRepository) => Promise<T>,
  patience?: StorePatience,
): Promise<readonly StoreAnswer<T>[]> {
  return Promise.all(
    [...repositories].map(async (repository) => {
      try {
        const asked = () => ask(repository);
        const value = await (patience === undefined ? asked() : patience.wait(repository, asked));
        return { repository, value };
      } catch (error) {
        return { repository, error };
      }
    }),
  );
}

/** The answers of the stores that did not fail. */
export function answered<T>(
  answers: readonly StoreAnswer<T>[],
): readonly { readonly repository: SnapshotRepository; readonly value: T }[] {
  return answers.filter((answer) => 'value' in answer);
}

/** The stores that failed, with their errors. */
export function failed<T>(
  answers: readonly StoreAnswer<T>[],
): readonly { readonly repository: SnapshotRepository; readonly error: unknown }[] {
  return answers.filter((answer) => 'error' in answer);
}

/** The error of a store, by whose message a person knows which store it is. A store of the bot's own may not name itself. */
export function namedFault({
  repository,
  error,
}: {
  readonly repository: SnapshotRepository;
  readonly error: unknown;
}): unknown {
  const { name } = repository.store;
  if (!isStoreError(error) || error.message.includes(name)) return error;
  const { retryable } = error;
  return new StoreError(`the store ${name} can't be listed: ${error.message}`, { cause: error, retryable });
}

import { type Clock, withDeadline } from '../../clock.js';
import { TimeoutError } from '../../errors.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';

/** What one store said. */
export type StoreAnswer<T> =
  | { readonly repository: SnapshotRepository; readonly value: T }
  | { readonly repository: SnapshotRepository; readonly error: unknown };

/** What a start with a sound profile waits for each store, all its questions together, ms: it is up within 5 s more. */
export const START_PATIENCE_MS = 4_500;

/** How long each store is waited for, all the questions that share it taken together. */
export class StorePatience {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #spent = new Map<SnapshotRepository, number>();

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
 * Asks several stores at once: one that does not answer keeps nobody from what the others say. Never rejects; the answers
 * come in the order of the repositories.
 *
 * @param patience who has not answered by then counts as one that failed; default: each takes the time it needs
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

/** The answers that are none of failure. */
export function answered<T>(
  answers: readonly StoreAnswer<T>[],
): readonly { readonly repository: SnapshotRepository; readonly value: T }[] {
  return answers.filter((answer) => 'value' in answer);
}

/** The failures. */
export function failed<T>(
  answers: readonly StoreAnswer<T>[],
): readonly { readonly repository: SnapshotRepository; readonly error: unknown }[] {
  return answers.filter((answer) => 'error' in answer);
}

import { StoreError } from '../../errors.js';

/** More objects than any session has by far. Retention keeps some hundreds for each client id. */
export const MAX_LISTED = 1_000_000;
/** Beside as many repeats as there are keys, so many are taken for objects that were put while the store listed. */
const FEW_REPEATS = 100;

/** Tells a listing that has lost its way, so that it begins anew with every page or never ends. */
export class ListingBound {
  readonly #store: string;
  readonly #action: string;
  readonly #seen = new Set<unknown>();
  #count = 0;

  /** @param action what the store is asked for, for the error: `list shop/` */
  constructor(store: string, action: string) {
    this.#store = store;
    this.#action = action;
  }

  /**
   * Whether this key is told for the first time.
   *
   * @throws StoreError when the listing repeats itself, or has more objects than {@link MAX_LISTED}
   */
  take(key: unknown): boolean {
    const isNew = !this.#seen.has(key);
    this.#seen.add(key);
    this.#count++;
    const keys = this.#seen.size;
    if (this.#count - keys > keys + FEW_REPEATS) {
      throw this.#fault(
        `it tells the same ${keys} again and again (is the token of the next page passed on?)`,
      );
    }
    if (this.#count > MAX_LISTED) throw this.#fault(`it tells more than ${MAX_LISTED} objects`);
    return isNew;
  }

  #fault(why: string): StoreError {
    return new StoreError(`${this.#store} could not ${this.#action}: ${why}`, { retryable: false });
  }
}

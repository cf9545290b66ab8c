import { StoreError } from '../../errors.js';

/** Far more objects than any session has. Retention keeps some hundreds for each client id. */
export const MAX_LISTED = 1_000_000;
/** A listing may repeat each key once and this many more, because objects may be put while the store lists. */
const FEW_REPEATS = 100;

/** Detects a faulty listing, for example one that begins again with every page or never ends. */
export class ListingBound {
  readonly #store: string;
  readonly #action: string;
  readonly #seen = new Set<unknown>();
  #count = 0;

  /** @param action the purpose of the call, for the error: `list shop/` */
  constructor(store: string, action: string) {
    this.#store = store;
    this.#action = action;
  }

  /**
   * Whether this key is listed for the first time.
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
        `the listing returned the same keys repeatedly, ${keys} in all (does the store pass on the token of the next page?)`,
      );
    }
    if (this.#count > MAX_LISTED) throw this.#fault(`the listing has more than ${MAX_LISTED} objects`);
    return isNew;
  }

  #fault(why: string): StoreError {
    return new StoreError(`${this.#store} could not ${this.#action}: ${why}`, { retryable: false });
  }
}

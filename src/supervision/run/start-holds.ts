import { Mutex } from '../../mutex.js';

/** The calls that replace or delete the profile. They run one at a time, and later starts wait for them. */
export class StartHolds {
  readonly #running = new Mutex();
  #last: Promise<unknown> | undefined;

  /** Makes later starts wait until `work` settles, even if it fails. */
  add(work: Promise<unknown>): void {
    // An earlier one may take longer: a call that waits for its turn holds the starts as well.
    this.#last = Promise.allSettled([this.#last, work]).then(() => undefined);
  }

  /** Runs `work` when no other such work is running. Settles like `work`. */
  runExclusive<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#running.runExclusive(work);
  }

  /** Resolves when none is left, with those that come in meanwhile; `undefined` when a start need not wait. */
  over(): Promise<void> | undefined {
    return this.#last === undefined ? undefined : this.#over();
  }

  async #over(): Promise<void> {
    for (let seen: unknown; seen !== this.#last; ) {
      seen = this.#last;
      await seen;
    }
  }
}

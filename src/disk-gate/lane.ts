import type { Clock, TimerHandle } from '../clock.js';

/** What a lane needs to know of a call. */
export interface LaneCall<T> {
  readonly clock: Clock;
  /** A disk that answers at all does so within this time, ms. */
  readonly ms: number;
  /** The error of a call that is not made, or is waited for no longer, because the disk does not answer. */
  readonly refusal: () => Error;
  /** Whether the call itself is waited for no longer, too. Else whoever makes it has a deadline of their own. */
  readonly isGivenUp: boolean;
  /** Takes what a call gives after it was given up. */
  readonly late?: (value: T) => void;
}

interface Waiting {
  readonly begin: () => void;
  readonly refuse: () => void;
}

/** Turns of the event loop that a late answer gets: after a pause of the process the timers fire before the answers come. */
const LAST_TURNS = 8;

/**
 * Lets one call at a time through to a disk. While one of them does not come back, none is made after it: each would take
 * another of the four threads in which node works on all files of the process.
 */
export class Lane {
  readonly #waiting: Waiting[] = [];
  /** Files that could not be closed yet. */
  readonly #unclosed: (() => Promise<void>)[] = [];
  #isBusy = false;
  #isStuck = false;
  /** Sees to it that the call under way is noticed when it does not come back in time. */
  #watch: () => void = () => undefined;

  /** Whether a call does not come back. */
  get isStuck(): boolean {
    return this.#isStuck;
  }

  /** @throws what `call` throws; the call's refusal while the disk does not answer */
  run<T>(call: () => Promise<T>, how: LaneCall<T>): Promise<T> {
    if (this.#isStuck) return Promise.reject(how.refusal());
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        begin: () => this.#begin(call, how, resolve, reject),
        refuse: () => reject(how.refusal()),
      });
      this.#next();
    });
  }

  /** Closes a file, later if it can't be done now: nobody waits for that. */
  async close(call: () => Promise<void>, how: LaneCall<void>): Promise<void> {
    let isBegun = false;
    const begin = () => {
      isBegun = true;
      return call();
    };
    try {
      await this.run(begin, how);
    } catch (error) {
      if (isBegun) throw error;
      this.#unclosed.push(() => this.run(call, how));
    }
  }

  #next(): void {
    if (this.#isBusy) return this.#watch();
    const first = this.#waiting.shift();
    if (first === undefined) return;
    this.#isBusy = true;
    first.begin();
    if (this.#waiting.length > 0) this.#watch();
  }

  #begin<T>(
    call: () => Promise<T>,
    { clock, ms, refusal, isGivenUp, late }: LaneCall<T>,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ): void {
    const latest = clock.monotonic() + ms;
    let timer: TimerHandle | undefined;
    let isOver = false;
    let isLate = false;
    const giveUp = async () => {
      for (let turn = 0; turn < LAST_TURNS && !isOver; turn++) await nextTurn();
      if (isOver) return;
      this.#isStuck = true;
      for (const { refuse } of this.#waiting.splice(0)) refuse();
      isLate = isGivenUp;
      if (isGivenUp) reject(refusal());
    };
    this.#watch = () => {
      timer ??= clock.setTimeout(() => void giveUp(), Math.max(0, latest - clock.monotonic()));
    };
    if (isGivenUp) this.#watch(); // else a timer is of no use before somebody waits
    const end = () => {
      isOver = true;
      clock.clearTimeout(timer);
      this.#end();
    };
    made(call).then(
      (value) => {
        end();
        if (isLate) late?.(value);
        else resolve(value);
      },
      (error: unknown) => {
        end();
        reject(error);
      },
    );
  }

  #end(): void {
    this.#isBusy = false;
    this.#isStuck = false;
    for (const close of this.#unclosed.splice(0)) close().catch(() => undefined);
    this.#next();
  }
}

/** A file system of the user's own may throw before it makes a promise. */
async function made<T>(call: () => Promise<T>): Promise<T> {
  return call();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

import { randomInt } from 'node:crypto';
import type { Clock } from '../../clock.js';

/** A wall clock that is this far behind the last timestamp was set back; the new time is then used. */
const SET_BACK_MS = 60_000;

/**
 * Unique timestamps for new values, because the version of an object is made of its time, size and inode.
 *
 * The timestamps of the system are not precise enough. They move in ticks of up to 4 ms, and an inode is reused at
 * once, so a value that is deleted and created again within a tick could get the old version. So each timestamp of this
 * store is at least a millisecond after the one before (memfs stores nothing finer), with random microseconds, because
 * other processes make timestamps, too.
 */
export class Stamps {
  readonly #clock: Clock;
  #last = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Seconds since 1970, the unit of `utimes`. */
  next(): number {
    const now = Math.max(0, Math.floor(this.#clock.now()));
    this.#last = now > this.#last || now < this.#last - SET_BACK_MS ? now : this.#last + 1;
    return (this.#last * 1000 + randomInt(1000)) / 1e6;
  }
}

import { randomInt } from 'node:crypto';
import type { Clock } from '../../clock.js';

/** A wall clock that is this far behind the last stamp was set back; it is followed. */
const SET_BACK_MS = 60_000;

/**
 * Time stamps for new values, no two alike: the version of an object is made of its time, size and inode.
 *
 * The system's own stamps won't do. They move in ticks of up to 4 ms, and an inode is used again at once: a value that
 * is deleted and made anew within a tick could get the version of the old one. So each stamp of this store is at least
 * a millisecond after the one before (memfs keeps no less), with microseconds by lot, for other processes draw too.
 */
export class Stamps {
  readonly #clock: Clock;
  #last = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Seconds since 1970, as `utimes` wants them. */
  next(): number {
    const now = Math.max(0, Math.floor(this.#clock.now()));
    this.#last = now > this.#last || now < this.#last - SET_BACK_MS ? now : this.#last + 1;
    return (this.#last * 1000 + randomInt(1000)) / 1e6;
  }
}

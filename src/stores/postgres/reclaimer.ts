import { type Clock, resultWithin } from '../../clock.js';
import type { Connections } from './connections.js';

/** Less is left to the server's own autovacuum. */
const LEAST_BYTES = 1024 * 1024;
/** With half of the live bytes dead, the table has at the most 2.5 times the live bytes while one value is being replaced. */
const DEAD_SHARE = 0.5;
/** How long the next large put waits for the room that is being made free, ms. */
const WAIT_MS = 5_000;
/** How long a vacuum may take before it is given up, ms; autovacuum then does the rest. */
const VACUUM_MS = 60_000;

/**
 * Makes the room of deleted chunks free again. Postgres does so by itself once a minute at the most, which is too seldom for
 * large values that are replaced again and again: four of 60 MB took 374 MB.
 */
export class Reclaimer {
  readonly #connections: Connections;
  readonly #clock: Clock;
  readonly #schema: string;
  #dead = 0;
  #limit = LEAST_BYTES;
  #work: Promise<void> | undefined;

  constructor(connections: Connections, clock: Clock, schema: string) {
    this.#connections = connections;
    this.#clock = clock;
    this.#schema = schema;
  }

  /** Counts what was deleted, and begins to make it free when it is much. */
  count(bytes: number): void {
    this.#dead += bytes;
    if (this.#dead < this.#limit || this.#work !== undefined) return;
    this.#work = this.#reclaim()
      // What can't be made free now is room, and no reason to fail: the server does it later.
      .catch(() => undefined)
      .finally(() => {
        this.#work = undefined;
      });
  }

  /** Waits for what is being made free, but not for long. */
  async settle(): Promise<void> {
    if (this.#work !== undefined) await resultWithin(this.#clock, WAIT_MS, this.#work);
  }

  async #reclaim(): Promise<void> {
    const ending = new AbortController();
    const timer = this.#clock.setTimeout(() => ending.abort(), VACUUM_MS);
    try {
      const sum = { text: `SELECT coalesce(sum(size), 0)::text AS live FROM "${this.#schema}".objects` };
      const [row] = await this.#connections.run(sum, ending.signal);
      this.#limit = Math.max(LEAST_BYTES, Number(row?.live ?? 0) * DEAD_SHARE);
      if (this.#dead < this.#limit) return;
      this.#dead = 0;
      // A process that makes the same room free already is not waited for.
      await this.#connections.run({ text: `VACUUM (SKIP_LOCKED) "${this.#schema}".chunks` }, ending.signal);
    } finally {
      this.#clock.clearTimeout(timer);
    }
  }
}

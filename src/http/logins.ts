import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../clock.js';

/** More people than ever watch one bot; the oldest login makes room. */
const MAX_LOGINS = 100;

/** Who logged in to the dashboard. In memory only: a restart of the bot asks for the token again. */
export class Logins {
  readonly #ttlMs: number;
  readonly #clock: Clock;
  /** When each ends, by the hash of its id; oldest first. */
  readonly #ends = new Map<string, number>();

  constructor(ttlMs: number, clock: Clock) {
    this.#ttlMs = ttlMs;
    this.#clock = clock;
  }

  /** A new login's id: 256 random bits. */
  begin(): string {
    const id = randomBytes(32).toString('base64url');
    this.#ends.set(hashOf(id), this.#clock.monotonic() + this.#ttlMs);
    for (const [oldest] of this.#ends) {
      if (this.#ends.size <= MAX_LOGINS) break;
      this.#ends.delete(oldest);
    }
    return id;
  }

  /** Whether it was begun and has neither ended nor expired. */
  isOpen(id: string): boolean {
    const end = this.#ends.get(hashOf(id));
    return end !== undefined && this.#clock.monotonic() < end;
  }

  end(id: string): void {
    this.#ends.delete(hashOf(id));
  }
}

/** What is kept can't be used as a cookie, and looking it up tells nothing by its time. */
function hashOf(id: string): string {
  return createHash('sha256').update(id).digest('base64');
}

import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../clock.js';

/** More logins than one bot ever needs; a further one replaces the oldest. */
const MAX_LOGINS = 100;

/** The logins to the dashboard. They are only in memory, so after a restart of the bot users enter the token again. */
export class DashboardLogins {
  readonly #ttlMs: number;
  readonly #clock: Clock;
  /** When each login ends, by the hash of its id, oldest first. */
  readonly #ends = new Map<string, number>();

  constructor(ttlMs: number, clock: Clock) {
    this.#ttlMs = ttlMs;
    this.#clock = clock;
  }

  /** Begins a login and returns its id: 256 random bits. */
  begin(): string {
    const id = randomBytes(32).toString('base64url');
    this.#ends.set(hashOf(id), this.#clock.monotonic() + this.#ttlMs);
    for (const [oldest] of this.#ends) {
      if (this.#ends.size <= MAX_LOGINS) break;
      this.#ends.delete(oldest);
    }
    return id;
  }

  /** Whether the login was begun and has neither ended nor expired. */
  isOpen(id: string): boolean {
    const end = this.#ends.get(hashOf(id));
    return end !== undefined && this.#clock.monotonic() < end;
  }

  end(id: string): void {
    this.#ends.delete(hashOf(id));
  }
}

/** The stored hash can't be used as a cookie, and the time of its lookup reveals nothing about an id. */
function hashOf(id: string): string {
  return createHash('sha256').update(id).digest('base64');
}

/** What a delay is computed from. */
export interface BackoffInput {
  /** Which attempt the delay comes before, counted from 1. */
  readonly attempt: number;
  /** Upper bound of the first delay, ms. */
  readonly baseMs: number;
  /** Upper bound of every delay, ms. Below `baseMs` it wins. */
  readonly maxMs: number;
  /** 0 <= x < 1, for example `Math.random`. */
  readonly random: () => number;
}

/**
 * How long to wait before an attempt: a random time between half and the whole of
 * `min(maxMs, baseMs * 2^(attempt - 1))`, in whole milliseconds, at least 1.
 *
 * Half of it is never given up (so nothing loops faster than `baseMs / 2`, whatever the dice say: FACTS 3,
 * restart loops that eat the machine); the other half is jitter, so that many bots that lost the same network
 * do not come back at the same moment.
 *
 * @example backoffDelayMs({ attempt: 3, baseMs: 5000, maxMs: 300_000, random: Math.random }); // 10000 to 20000
 */
export function backoffDelayMs({ attempt, baseMs, maxMs, random }: BackoffInput): number {
  const doublings = Math.max(0, Math.floor(attempt) - 1);
  const ceiling = Math.min(maxMs, baseMs * 2 ** doublings);
  const dice = Math.min(1, Math.max(0, random()));
  return Math.max(1, Math.round(ceiling / 2 + (ceiling / 2) * dice));
}

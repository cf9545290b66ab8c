import type { ResolvedOptions } from '../../options.js';
import type { Setback } from './setback.js';

/**
 * A session that was ready this long, or whose QR waited this long, has recovered. Then the attempts are counted
 * anew.
 */
export const STABLE_AFTER_MS = 60_000;

/** Longest delay between attempts while WhatsApp is unreachable, ms. */
const NETWORK_RETRY_MS = 15_000;
/** Longest delay while a server does not answer or this machine is short of something, ms; each attempt asks all stores. */
const SERVER_RETRY_MS = 60_000;

/** How long to wait before the next attempt, ms. */
export function retryDelayMs(
  setback: Setback,
  attempt: number,
  context: {
    readonly options: Pick<ResolvedOptions, 'reconnectDelayMs' | 'reconnectMaxDelayMs'>;
    readonly random: () => number;
  },
): number {
  const { reconnectDelayMs: baseMs, reconnectMaxDelayMs } = context.options;
  const maxMs = Math.min(reconnectMaxDelayMs, longestMs(setback));
  const delayMs = setback.cause === 'conflict' ? conflictDelayMs : backoffDelayMs;
  return delayMs({ attempt, baseMs, maxMs, random: context.random });
}

function longestMs({ cause, awaitsServer = false, awaitsMachine = false }: Setback): number {
  if (cause === 'network-down') return NETWORK_RETRY_MS;
  return awaitsServer || awaitsMachine ? SERVER_RETRY_MS : Number.POSITIVE_INFINITY;
}

/** Input of {@link backoffDelayMs}. */
export interface BackoffInput {
  /** Number of the attempt after the delay, counted from 1. */
  readonly attempt: number;
  /** Upper bound of the first delay, ms. */
  readonly baseMs: number;
  /** Upper bound of every delay, ms. Takes precedence over a larger `baseMs`. */
  readonly maxMs: number;
  /** Returns a number x with 0 <= x < 1, for example `Math.random`. */
  readonly random: () => number;
}

/**
 * Minimum wait after WhatsApp Web was opened elsewhere, ms. It doubles each time, so that we do not fight over the
 * session.
 */
const CONFLICT_DELAY_MS = 60_000;

/**
 * The delay before an attempt: a random time from {@link floorMs} to `min(maxMs, baseMs * 2^(attempt - 1))`, in whole
 * milliseconds.
 *
 * Full jitter spreads bots that lost the same network over the whole range. The floor of `baseMs / 2` prevents
 * restart loops that overload the machine, whatever the random number is (docs/chromium-facts.md F3.5).
 *
 * @example backoffDelayMs({ attempt: 3, baseMs: 5000, maxMs: 300_000, random: Math.random }); // 2500 to 20000
 */
export function backoffDelayMs(input: BackoffInput): number {
  const floor = floorMs(input);
  return between(floor, Math.max(floor, ceilingMs(input)), input.random);
}

/** The shortest delay: half of the first delay's upper bound, at least 1 ms. */
export function floorMs({ baseMs, maxMs }: Pick<BackoffInput, 'baseMs' | 'maxMs'>): number {
  return Math.max(1, Math.floor(Math.min(baseMs, maxMs) / 2));
}

/**
 * The delay before an attempt to take WhatsApp Web back from where it was opened: a random time between half and all
 * of the upper bound, and never less than a minute. So the delay really doubles.
 */
export function conflictDelayMs({ attempt, baseMs, maxMs, random }: BackoffInput): number {
  const base = Math.max(CONFLICT_DELAY_MS, baseMs);
  const ceiling = ceilingMs({ attempt, baseMs: base, maxMs: Math.max(base, maxMs) });
  return Math.max(CONFLICT_DELAY_MS, between(ceiling / 2, ceiling, random));
}

function ceilingMs({ attempt, baseMs, maxMs }: Omit<BackoffInput, 'random'>): number {
  const doublings = Math.max(0, Math.floor(attempt) - 1);
  return Math.min(maxMs, baseMs * 2 ** doublings);
}

function between(leastMs: number, mostMs: number, random: () => number): number {
  const dice = random();
  const share = dice > 0 ? Math.min(1, dice) : 0; // a random source may return NaN
  return Math.round(leastMs + (mostMs - leastMs) * share);
}

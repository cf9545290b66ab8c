/** A session that was ready for so long, or whose QR waited so long, has recovered: the attempts count anew. */
export const STABLE_AFTER_MS = 60_000;

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

/** Who has WhatsApp Web open elsewhere is not fought over: at least a minute, doubling. */
const CONFLICT_DELAY_MS = 60_000;

/**
 * How long to wait before an attempt: a random time from {@link floorMs} to `min(maxMs, baseMs * 2^(attempt - 1))`,
 * in whole milliseconds.
 *
 * Full jitter spreads bots that lost the same network over the whole of the time. The floor of `baseMs / 2` prevents
 * restart loops that use up the machine, whatever the dice say (docs/chromium-facts.md F3.5).
 *
 * @example backoffDelayMs({ attempt: 3, baseMs: 5000, maxMs: 300_000, random: Math.random }); // 2500 to 20000
 */
export function backoffDelayMs(input: BackoffInput): number {
  const floor = floorMs(input);
  return between(floor, Math.max(floor, ceilingMs(input)), input.random);
}

/** No delay is shorter: half of the first one's upper bound, at least 1 ms. */
export function floorMs({ baseMs, maxMs }: Pick<BackoffInput, 'baseMs' | 'maxMs'>): number {
  return Math.max(1, Math.floor(Math.min(baseMs, maxMs) / 2));
}

/**
 * The same before an attempt to take WhatsApp Web back from where it was opened: a random time between half and the
 * whole of the ceiling, so that the time really doubles, and never less than a minute.
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
  const share = dice > 0 ? Math.min(1, dice) : 0; // a source that answers NaN must not make a delay of it
  return Math.round(leastMs + (mostMs - leastMs) * share);
}

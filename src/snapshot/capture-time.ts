/** So far may the clock of the machine that took a snapshot have been ahead, ms: ten years. */
const MAX_AHEAD_MS = 10 * 365 * 24 * 60 * 60 * 1000;
/** No clock is before this library: a machine without a battery starts in 1970 and is not believed itself. */
const EARLIEST_NOW = Date.UTC(2026, 0, 1);
/** The last time that a manifest can tell. */
const LAST_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * Whether a snapshot can have been taken when it says. One of the far future (a clock that was wrong, or a file that
 * somebody put there) would be the newest for ever, and no save could come after it.
 *
 * @param now the wall clock, ms since 1970
 */
export function isBelievable({ createdAt }: { readonly createdAt: string }, now: number): boolean {
  return Date.parse(createdAt) <= latestBelievable(now);
}

/**
 * The time of a capture that begins now, ms since 1970: the wall clock, but later than each of `times` that is
 * believed. It always has a valid form.
 *
 * @param now the wall clock, ms since 1970
 * @param times of the captures that are known, ms since 1970
 */
export function captureTimeAfter(now: number, times: readonly number[]): number {
  const limit = latestBelievable(now);
  let latest = 0;
  for (const time of times) if (time > latest && time <= limit) latest = time;
  return Math.min(Math.max(now, latest + 1), LAST_TIME);
}

/** Orders snapshots of a time that is believed before the others, and each of the two the newest first. */
export function newestBelievableFirst(
  now: number,
): (a: { readonly createdAt: string }, b: { readonly createdAt: string }) => number {
  return (a, b) => {
    const byBelief = Number(isBelievable(b, now)) - Number(isBelievable(a, now));
    if (byBelief !== 0) return byBelief;
    return a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0;
  };
}

function latestBelievable(now: number): number {
  return Math.min(Math.max(now, EARLIEST_NOW) + MAX_AHEAD_MS, LAST_TIME - 1);
}

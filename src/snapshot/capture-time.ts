/** How far ahead the clock of the machine that took a snapshot may have been, ms: ten years. */
const MAX_AHEAD_MS = 10 * 365 * 24 * 60 * 60 * 1000;
/** The earliest time that our own clock is believed to have: a machine without a clock battery starts in 1970. */
const EARLIEST_NOW = Date.UTC(2026, 0, 1);
/** The latest time that a manifest may have. */
const LAST_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * Whether the capture time of a snapshot can be true. A time in the far future (from a wrong clock, or a file that
 * somebody put there) would be the newest forever, and no save could come after it.
 *
 * @param now the wall clock, ms since 1970
 */
export function isBelievable({ createdAt }: { readonly createdAt: string }, now: number): boolean {
  return Date.parse(createdAt) <= latestBelievable(now);
}

/**
 * The time of a capture that begins now, ms since 1970: the wall clock, or later, so that it comes after each
 * believed one of `times`. It always has a valid form.
 *
 * @param now the wall clock, ms since 1970
 * @param times of the known captures, ms since 1970
 */
export function captureTimeAfter(now: number, times: readonly number[]): number {
  const limit = latestBelievable(now);
  let latest = 0;
  for (const time of times) if (time > latest && time <= limit) latest = time;
  return Math.min(Math.max(now, latest + 1), LAST_TIME);
}

/** Orders snapshots with a believed time before the others, and in both groups the newest first. */
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

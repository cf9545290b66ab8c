/** No call of a store that moves no more than a few bytes takes longer, ms. */
export const CALL_MS = 10_000;
/** A listing tells the next object within this time, ms. */
export const LIST_MS = 5_000;
/** A whole listing is waited for no longer, ms; what is done with its objects meanwhile does not count. */
export const LISTING_MS = 300_000;
/** In a transfer something moves within this time, ms. */
export const TRANSFER_MS = 60_000;
/** A local file that is copied slower than this, in bytes per ms, counts as standing still. */
const SLOWEST_COPY = 1024;
/** What is put in the time of a small call. */
const SMALL_BYTES = 64 * 1024;

/** How long a put of bytes in memory may take, ms. */
export function msToPut(bytes: number): number {
  return bytes <= SMALL_BYTES ? CALL_MS : TRANSFER_MS;
}

/** How long a store may take to copy a local file, of which nobody sees how far it is, ms. */
export function msToCopy(bytes: number | undefined): number {
  return TRANSFER_MS + Math.ceil((bytes ?? 0) / SLOWEST_COPY);
}

/** The maximum time of a store call that transfers only a few bytes, ms. */
export const CALL_MS = 10_000;
/** The maximum time until a listing returns its next object, ms. */
export const LIST_MS = 5_000;
/** The maximum waiting time for a whole listing, ms; the time for processing its objects does not count. */
export const LISTING_MS = 300_000;
/** The maximum time without progress in a transfer, ms. */
export const TRANSFER_MS = 60_000;
/** A copy of a local file that is slower than this, in bytes per ms, counts as hanging. */
const SLOWEST_COPY = 1024;
/** A put of at most this size has the deadline of a small call, bytes. */
const SMALL_BYTES = 64 * 1024;

/** How long a put of bytes in memory may take, ms. */
export function msToPut(bytes: number): number {
  return bytes <= SMALL_BYTES ? CALL_MS : TRANSFER_MS;
}

/** How long a store may take to delete many objects, ms; on a slow network folder each takes some round trips. */
export function msToDelete(objects: number): number {
  return CALL_MS + 50 * objects;
}

/** How long a store may take to copy a local file, ms; the progress of such a copy is not visible. */
export function msToCopy(bytes: number | undefined): number {
  return TRANSFER_MS + Math.ceil((bytes ?? 0) / SLOWEST_COPY);
}

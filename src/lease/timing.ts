/** How often an owner shows that it lives, ms. */
export const HEARTBEAT_MS = 5000;
/**
 * After this many ms without a heartbeat, another machine's lease is taken over and our own no longer counts as
 * held.
 */
export const TAKEOVER_MS = 30_000;
/** How often the lease files are read again while the lease can't be taken yet, ms. */
export const LOOK_EVERY_MS = 1000;
/** How often it is noted how long a lease was watched, ms of watching. */
export const NOTE_EVERY_MS = 5000;
/** Deadline of each operation on the lease files, ms: a network share may hang. */
export const FILES_DEADLINE_MS = 10_000;

/** How often an owner shows that it lives, ms. */
export const HEARTBEAT_MS = 5000;
/** After this long without a heartbeat another machine's lease is taken over, and our own counts as not held, ms. */
export const TAKEOVER_MS = 30_000;
/** How often a lease that can't be taken yet is looked at, ms. */
export const LOOK_EVERY_MS = 1000;
/** No piece of work on the lease files takes longer, ms (a network share may hang). */
export const FILES_DEADLINE_MS = 10_000;

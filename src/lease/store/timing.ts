import type { SessionStore } from '../../stores/session-store.js';

/** How often a process shows that it lives, and when it counts as dead without a sign, ms. */
export interface BeatTiming {
  readonly beatMs: number;
  readonly takeoverMs: number;
}

/**
 * A server that tells its time is a database, where a sign of life costs nothing. Any other is taken for an object store,
 * where each put is billed, and where a death is only seen by watching.
 */
export function timingOf({ capabilities }: SessionStore): BeatTiming {
  return capabilities.serverTime === true
    ? { beatMs: 10_000, takeoverMs: 30_000 }
    : { beatMs: 30_000, takeoverMs: 90_000 };
}

/** A takeover time that another process has written is believed between these bounds, ms. */
const MIN_TAKEOVER_MS = 10_000;
const MAX_TAKEOVER_MS = 600_000;

export function boundedTakeover(ms: number): number {
  return Math.min(Math.max(ms, MIN_TAKEOVER_MS), MAX_TAKEOVER_MS);
}

/** How often the lease of another process is looked at, ms: a released one is to be taken over within 3 s. */
export const LOOK_EVERY_MS = 2000;

/** How long what was watched stands still before it is noted, and how often it is noted then, ms of watching. */
export interface NoteTiming {
  readonly firstNoteMs: number;
  readonly noteEveryMs: number;
}

/** Who is killed every 25 s must come to it. A sign of life in a database comes earlier, so that a live owner causes no note. */
const FIRST_NOTE_MS = 14_000;

/** In an object store each note is billed. */
export function noteTimingOf({ beatMs }: BeatTiming): NoteTiming {
  const firstNoteMs = Math.min(beatMs + 2 * LOOK_EVERY_MS, FIRST_NOTE_MS);
  return { firstNoteMs, noteEveryMs: Math.max(5000, beatMs / 3) };
}

/** When a sign of life that failed is tried again, ms. */
export const RETRY_MS = 5000;

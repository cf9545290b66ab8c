import type { SessionStore } from '../../stores/session-store.js';
import type { Machine } from '../judge-holder.js';
import { ProcessBeat, type ProcessBeatParts } from './process-beat.js';

const beats = new WeakMap<SessionStore, Map<Machine, ProcessBeat>>();

/**
 * The sign of life of this process in a store. Sessions that were given the same store share one, with the clock and the
 * logger of the first.
 *
 * @param shared the store as the bot gave it, which may be the same for many sessions
 */
export function processBeatOf(shared: SessionStore, parts: ProcessBeatParts): ProcessBeat {
  const ofStore = beats.get(shared) ?? new Map<Machine, ProcessBeat>();
  beats.set(shared, ofStore);
  const known = ofStore.get(parts.machine);
  if (known !== undefined) return known;
  const beat = new ProcessBeat(parts);
  ofStore.set(parts.machine, beat);
  return beat;
}

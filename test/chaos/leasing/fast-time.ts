import type { Clock } from '../../../src/clock.js';
import type { ObjectInfo, SessionStore } from '../../../src/stores/session-store.js';

/** How much faster than real time everything here runs: a takeover time of 30 s passes in one. */
export const SPEED = 30;
/** From where on the fast time counts, ms since 1970; the same in all processes. */
const EPOCH_MS = Date.UTC(2026, 0, 1);

/** The system's clock, {@link SPEED} times as fast. `aheadMs`: how far its wall clock is ahead of the others'. */
export function fastClock(aheadMs = 0): Clock {
  return {
    now: () => fastTime(Date.now()) + aheadMs,
    monotonic: () => performance.now() * SPEED,
    setTimeout: (callback, delayMs) => setTimeout(callback, delayMs / SPEED),
    clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
  };
}

/** A store whose server seems to have a fast clock, too. */
export function fastStore(store: SessionStore): SessionStore {
  const fast = <Info extends ObjectInfo | undefined>(info: Info): Info =>
    info && { ...info, modifiedAt: new Date(fastTime(info.modifiedAt.getTime())) };
  const { serverTime } = store;
  return {
    name: store.name,
    get capabilities() {
      return store.capabilities;
    },
    put: async (key, body, options) => {
      const { modifiedAt, ...answer } = await store.put(key, body, options);
      return { ...answer, ...(modifiedAt && { modifiedAt: new Date(fastTime(modifiedAt.getTime())) }) };
    },
    get: async (key, options) => {
      const found = await store.get(key, options);
      return found && { ...found, info: fast(found.info) };
    },
    head: async (key, options) => fast(await store.head(key, options)),
    list: async function* (prefix, options) {
      for await (const info of store.list(prefix, options)) yield fast(info);
    },
    delete: (key, options) => store.delete(key, options),
    ...(serverTime && {
      serverTime: async (options) => fastTime(await serverTime.call(store, options)),
    }),
  };
}

function fastTime(ms: number): number {
  return EPOCH_MS + (ms - EPOCH_MS) * SPEED;
}

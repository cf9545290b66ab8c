import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../src/file-system.js';
import type { ManualClock } from '../../src/testing/manual-clock.js';
import { useFakeStage } from '../support/fake-stage.js';

/** Node works on all files of a process in so many threads. */
const THREADS = 4;

/** A disk that answers, but takes `ms` for each call, once `isSlow` says so. */
function slowDisk(fs: FileSystem, clock: ManualClock, { ms, isSlow }: { ms: number; isSlow: () => boolean }) {
  let busy = 0;
  const queue: (() => void)[] = [];
  const thread = async () => {
    if (busy >= THREADS) await new Promise<void>((begin) => queue.push(begin));
    else busy++;
  };
  const leave = () => {
    const next = queue.shift();
    if (next) next();
    else busy--;
  };
  const promises = new Proxy(fs.promises, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return async (...given: unknown[]) => {
        if (!isSlow()) return Reflect.apply(value, target, given) as Promise<unknown>;
        await thread();
        try {
          await new Promise<void>((over) => clock.setTimeout(over, ms));
          return await (Reflect.apply(value, target, given) as Promise<unknown>);
        } finally {
          leave();
        }
      };
    },
  });
  return { ...fs, promises } as FileSystem;
}

describe('several accounts that start at once on one slow, healthy disk', () => {
  const stage = useFakeStage();

  it.each([
    [5, 100],
    [10, 20],
  ])('all come up: %d accounts, %d ms a call', async (accounts, ms) => {
    const { fs, clock } = stage();
    let isSlow = false;
    const disk = slowDisk(fs, clock, { ms, isSlow: () => isSlow });
    const ids = Array.from({ length: accounts }, (_, index) => `c${index}`);
    const botOf = (clientId: string, on: FileSystem) =>
      stage().bot({ auth: 'none', folder: '/bot', session: { clientId, fs: on } });
    for (const id of ids) {
      const bot = botOf(id, fs);
      await bot.logIn(`4915100${id.slice(1)}@c.us`);
      await bot.stop();
    }
    isSlow = true;
    const bots = ids.map((id) => botOf(id, disk));
    const starts = Promise.all(bots.map((bot) => bot.session.initialize()));
    await bots[0]?.finish(starts, { limitMs: 1_800_000, stepMs: 50 });
    expect(bots.map(({ state }) => state)).toEqual(ids.map(() => 'ready'));
    isSlow = false;
  });
});

import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../src/file-system.js';
import { useFakeStage } from '../support/fake-stage.js';
import { slowDisk } from '../support/slow-disk.js';

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

import { describe, expect, it } from 'vitest';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const QUIET = { healthCheckIntervalMs: 0, forceSaveIntervalMs: 0, backupIntervalMs: 0 };

describe('an argument of a call that can not be meant', () => {
  const stage = useFakeStage();

  async function withSave(): Promise<FakeBot> {
    const bot = stage().bot({ session: QUIET });
    await bot.logIn();
    await bot.save('first');
    return bot;
  }

  it.each(['restore', 'verify', 'openBackup', 'importSession'] as const)(
    'is refused by %s(), and nothing has happened',
    async (call) => {
      const bot = await withSave();
      const { length } = bot.events;
      for (const given of [null, 5, {}, true, ['id']]) {
        const calling: Promise<unknown> = bot.session[call](given as never);
        await expect(bot.finish(calling)).rejects.toMatchObject({
          code: 'CONFIGURATION',
          operation: call,
        });
      }
      expect(bot.events.slice(length)).toEqual([]);
      expect(bot.state).toBe('ready');
    },
  );

  it.each([
    [{ logot: true }, '"logot" is unknown'],
    ['logout', '"logout" is given'],
    [null, 'null is given'],
    [[], 'a list is given'],
    [{ logout: 'false' }, 'logout is "false"'],
  ])('is refused by clear(%j), which deletes nothing', async (options, words) => {
    const bot = await withSave();
    await expect(bot.finish(bot.session.clear(options as never))).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining(words),
    });
    expect(bot.state).toBe('ready');
    expect(await bot.finish(bot.session.listSnapshots())).toHaveLength(1);
  });
});

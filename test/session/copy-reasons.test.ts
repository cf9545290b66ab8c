import { describe, expect, it } from 'vitest';
import { StoreError } from '../../src/index.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const QUIET = { healthCheckIntervalMs: 0, forceSaveIntervalMs: 0, backupIntervalMs: 0 };
/** After this a login has had the time to be copied. */
const LONG_UP_MS = 130_000;

class FailingStore extends MemoryStore {
  isFailing = true;
  override async put(...args: Parameters<MemoryStore['put']>): ReturnType<MemoryStore['put']> {
    if (this.isFailing)
      throw new StoreError('the bucket at https://key:s3cret@s3.example refuses: quota exceeded');
    return super.put(...args);
  }
}

async function issue(bot: FakeBot, code: string) {
  const { issues, recommendations } = await bot.finish(bot.session.checkHealth());
  const found = issues.find((one) => one.code === code);
  const advice = recommendations.find((one) => one.code === code);
  return { message: found?.message, advice: advice?.text };
}

describe('why there is no copy', () => {
  const stage = useFakeStage();

  it.each([
    ['save', 'forceSave', 'store', 'lastSaveError'],
    ['backup', 'backup', 'backupStore', 'lastBackupError'],
  ] as const)(
    'is told where a store refuses the %s, until one has come',
    async (kind, call, option, field) => {
      const store = new FailingStore();
      const bot = stage().bot({ session: { ...QUIET, [option]: store } });
      await bot.logIn();
      await expect(bot.finish(bot.session[call]())).rejects.toThrow('quota');
      await stage().clock.advance(LONG_UP_MS);
      const { message, advice } = await issue(bot, `${kind}-missing`);
      expect(message?.en).toContain('quota exceeded');
      expect(message?.ar).toContain('quota exceeded');
      expect(message?.en).not.toContain('s3cret');
      expect(advice?.en).toContain('what the reason names');
      expect((await issue(bot, `${kind}-failed`)).message).toBeUndefined(); // one issue for one fault
      expect(bot.session.status()[field]).toEqual({
        code: 'STORE',
        message: expect.stringContaining('quota exceeded'),
        at: expect.any(String),
      });
      expect(JSON.stringify(bot.session.status())).not.toContain('s3cret');
      store.isFailing = false;
      await bot.finish(bot.session[call]());
      expect(bot.session.status()[field]).toBeUndefined();
      expect((await issue(bot, `${kind}-missing`)).message).toBeUndefined();
    },
  );

  it('is told where the profile is not sound', async () => {
    const bot = stage().bot({ session: QUIET });
    await bot.logIn();
    await stage().damageProfile(bot);
    expect(await bot.finish(bot.session.forceSave())).toEqual({ skipped: 'unsound' });
    await stage().clock.advance(LONG_UP_MS);
    expect(bot.session.status().lastSaveError).toMatchObject({ code: 'unsound' });
    const { message, advice } = await issue(bot, 'save-missing');
    expect(message?.en).toContain('not whole');
    expect(message?.ar).toContain('غير سليم');
    expect(advice?.en).toContain('reconnect()');
  });

  it('is told of one that is too old, and of the last one that failed', async () => {
    const store = new FailingStore();
    store.isFailing = false;
    const bot = stage().bot({ session: { ...QUIET, store, forceSaveIntervalMs: 60_000 } });
    await bot.logIn();
    await bot.save('first');
    store.isFailing = true;
    await bot.note('second');
    await bot.until('a save that fails', () => bot.payloads('save:failed').length > 0);
    await stage().clock.advance(10 * 60_000);
    for (const code of ['save-overdue', 'save-failed']) {
      expect((await issue(bot, code)).message?.en).toContain('quota exceeded');
    }
  });
});

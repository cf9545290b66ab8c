import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { writeFakeProfile } from '../../src/testing/fake-profile.js';
import { ANNA, accountOf, BEN } from '../support/accounts.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const BY_HAND = { forceSaveIntervalMs: 0, backupIntervalMs: 0, healthCheckIntervalMs: 0 };
const OLD = '/bot/auth/session-old';

describe('a call of importSession() that was left in the bot, whose source is used for another phone', () => {
  const stage = useFakeStage();

  const botOf = (clientId: string) =>
    stage().bot({
      client: { localAuth: { dataPath: '/bot/auth', clientId } },
      session: { ...BY_HAND, sessionPath: '/bot/session', backupPath: '/bot/backup' },
    });

  async function startNew(options = {}): Promise<FakeBot> {
    const bot = botOf('new');
    await bot.finish(bot.session.importSession(OLD, options));
    await bot.start();
    return bot;
  }

  async function isLoggedOut(bot: FakeBot): Promise<void> {
    await bot.client.logOutByPhone();
    await bot.untilState('awaiting_qr');
    await bot.stop();
  }

  async function usedWithoutThisLibrary(account: string): Promise<void> {
    await stage().remove(OLD);
    await writeFakeProfile(stage().fs, OLD, { ...stage().whatsApp.pair(account), note: 'plain' });
  }

  async function usedWithThisLibrary(account: string): Promise<void> {
    const bot = botOf('old');
    await bot.start();
    if (bot.state === 'ready') await bot.finish(bot.session.clear());
    if (bot.state !== 'awaiting_qr') await bot.start();
    await bot.client.scan(account);
    await bot.untilState('ready');
    await bot.stop();
  }

  it.each([
    ['without this library', usedWithoutThisLibrary],
    ['with this library', usedWithThisLibrary],
  ])('does not take it, and tells so (%s)', async (_, use) => {
    await usedWithoutThisLibrary(ANNA);
    const bot = await startNew();
    assert.deepEqual([bot.state, accountOf(bot)], ['ready', ANNA]);
    await isLoggedOut(bot);
    await use(BEN);
    const again = await startNew();
    assert.equal(again.state, 'awaiting_qr');
    const [told] = again.payloads('warning').filter(({ code }) => code === 'import-skipped');
    assert.match(told?.message ?? '', /session-old.*client id 'old'.*force: true/s);
    await again.stop();
    const forced = await startNew({ force: true });
    assert.deepEqual([forced.state, accountOf(forced)], ['ready', BEN]);
  });

  it('takes it after a clear(), as long as it is what was taken before', async () => {
    await usedWithoutThisLibrary(ANNA);
    const bot = await startNew();
    await bot.finish(bot.session.clear());
    const again = await startNew();
    assert.deepEqual([again.state, accountOf(again)], ['ready', ANNA]);
    await again.finish(again.session.clear());
    await usedWithoutThisLibrary(BEN);
    const third = await startNew().catch((error: unknown) => String(error));
    assert.ok(typeof third === 'string' || third.state === 'awaiting_qr');
  });
});

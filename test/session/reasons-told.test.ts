import assert from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import { writeFakeProfile } from '../../src/testing/fake-profile.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const BY_HAND = { forceSaveIntervalMs: 0, backupIntervalMs: 0, healthCheckIntervalMs: 0 };

const messages = (bot: FakeBot, wanted: string) =>
  bot.payloads('warning').flatMap(({ code, message }) => (code === wanted ? [message] : []));

describe('a reason that somebody can act on', () => {
  const stage = useFakeStage();

  it('of a start without a QR names the store that is waited for, once, with the way out', async () => {
    const nas = new MemoryStore({ name: 'nas' });
    const bot = stage().bot({ session: { ...BY_HAND, backupStore: nas } });
    nas.list = () => {
      throw new Error('stale file handle');
    };
    const starting = bot.session.initialize().catch(() => undefined);
    await bot.until('three attempts', () => bot.payloads('reconnect:scheduled').length >= 3);
    const told = messages(bot, 'start-waits');
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /no QR is shown.*out of the options.*nas/s);
    assert.match(bot.session.status().lastError?.message ?? '', /no QR is shown.*nas/s);
    assert.ok(messages(bot, 'cleanup-failed').length <= 1, messages(bot, 'cleanup-failed').join('\n'));
    await bot.stop();
    await bot.finish(starting);
  });

  it('of two clients over one LocalAuth without a client id names the client id', async () => {
    const options = { client: { localAuth: { dataPath: '/bot/auth' } }, session: BY_HAND };
    const first = stage().bot(options);
    await first.logIn();
    await expect(stage().bot(options).start()).rejects.toMatchObject({
      code: 'PROFILE_LOCKED',
      message: expect.stringMatching(/new LocalAuth\(\{ clientId \}\)/),
    });
  });

  it('of an old session that was imported before offers no import that would be skipped', async () => {
    const old = '/old/.wwebjs_auth/RemoteAuth-shop';
    await writeFakeProfile(stage().fs, old, stage().whatsApp.pair('4915100000001@c.us'));
    const newBot = () =>
      stage().bot({
        client: { localAuth: { dataPath: '/old/.wwebjs_auth', clientId: 'shop' } },
        session: BY_HAND,
      });
    const bot = newBot();
    await bot.finish(bot.session.importSession(old));
    await bot.start();
    await bot.client.logOutByPhone();
    await bot.untilState('awaiting_qr');
    await bot.stop();
    await stage().remove('/old/.wwebjs_auth/session-shop');
    const next = newBot();
    await next.finish(next.session.importSession(old));
    await next.start();
    assert.equal(next.state, 'awaiting_qr');
    assert.equal(messages(next, 'import-skipped').length, 1);
    assert.deepEqual(messages(next, 'import-available'), []);
  });

  it('does not advise to set a healthy profile back that was moved without its record', async () => {
    const botOver = (dataPath: string) =>
      stage().bot({ client: { localAuth: { dataPath, clientId: 'shop' } }, session: BY_HAND });
    const before = botOver('/bot/auth');
    await before.logIn();
    await before.save('one');
    await before.stop();
    const profile = await stage().copyTree('/bot/auth/session-shop');
    await stage().remove('/bot/auth');
    await profile.putAt('/bot/volume/session-shop');
    const after = botOver('/bot/volume');
    await after.start();
    assert.equal(after.state, 'ready');
    const [told] = messages(after, 'other-profile');
    assert.match(told ?? '', /is used.*nothing to do/s);
    assert.ok(!told?.includes('restore('), told);
  });
});

import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeFakeProfile } from '../../src/testing/fake-profile.js';
import { ANNA, accountOf, BEN } from '../support/accounts.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const BY_HAND = { forceSaveIntervalMs: 0, backupIntervalMs: 0, sessionValidationIntervalMs: 0 };
const OLD = '/image/session-old';

const rejections = (bot: FakeBot) =>
  bot.payloads('warning').flatMap(({ code, message }) => (code === 'login-rejected' ? [message] : []));

describe('an old session that a person has imported over a login, and that WhatsApp rejects', () => {
  const stage = useFakeStage();
  const newBot = () => stage().bot({ session: { ...BY_HAND, backupPath: '/mnt/backup' } });

  /** A bot in use as BEN, and an old session that WhatsApp does not accept any more. */
  async function inUse(account: string) {
    const bot = newBot();
    await bot.logIn(BEN);
    await stage().clock.advance(100_000);
    const alive = await bot.backUp('alive');
    const dead = { ...stage().whatsApp.pair(account), note: 'dead' };
    stage().whatsApp.revoke(dead);
    await writeFakeProfile(stage().fs, OLD, dead);
    return { bot, alive };
  }

  describe.each([
    ['another account', ANNA],
    ['the same account', BEN],
  ])('of %s', (_, account) => {
    it.each(['while it runs', 'while it is stopped'])(
      '(%s): the login that was in place is put back, and that is told',
      async (when) => {
        const { bot } = await inUse(account);
        if (when === 'while it is stopped') await bot.stop();
        const codes = bot.codes.length;
        const imported = await bot.finish(bot.session.importSession(OLD));
        if (when === 'while it is stopped') await bot.start();
        await bot.untilState('ready');
        expect([accountOf(bot), bot.codes.length]).toEqual([BEN, codes]);
        expect((await bot.client.readLogin())?.note).toBe('alive');
        const [message, ...more] = rejections(bot);
        expect(more).toEqual([]);
        expect(message).toContain(`importSession(${JSON.stringify(OLD)})`);
        expect(message).toContain(`restore('${imported.id}')`);
        expect(bot.session.status().decision).toBeUndefined();
      },
    );
  });

  it('with a logout in place of a QR: the login that was in place is put back', async () => {
    const { bot } = await inUse(ANNA);
    stage().whatsApp.answersWithLogout = true;
    await bot.finish(bot.session.importSession(OLD));
    await bot.untilState('ready');
    expect([accountOf(bot), rejections(bot).length]).toEqual([BEN, 1]);
  });

  it('at every start anew, as the call was left in the bot: the login goes on, also on an empty disk', async () => {
    const { bot } = await inUse(ANNA);
    const { profile, session } = bot.session.status().paths;
    await bot.stop();
    for (let start = 0; start < 3; start++) {
      const next = newBot();
      await next.finish(next.session.importSession(OLD));
      await next.start();
      expect([next.state, accountOf(next), next.codes]).toEqual(['ready', BEN, []]);
      await stage().clock.advance(100_000);
      await next.backUp(`start ${start}`);
      await next.stop();
      for (const path of [dirname(profile), session]) await stage().remove(path);
    }
  });

  it('is forced by restore(id) as often as a person asks', async () => {
    const { bot } = await inUse(ANNA);
    const imported = await bot.finish(bot.session.importSession(OLD));
    await bot.untilState('ready');
    const login = await bot.client.readLogin();
    expect(login?.note).toBe('alive');
    await bot.finish(bot.session.restore(imported.id));
    await bot.untilState('ready');
    expect([accountOf(bot), rejections(bot).length]).toEqual([BEN, 2]);
  });

  it('over an empty disk, where the login before it may be of another account: a person is asked', async () => {
    const { bot, alive } = await inUse(ANNA);
    const { profile, session } = bot.session.status().paths;
    await bot.stop();
    for (const path of [dirname(profile), session]) await stage().remove(path);
    const fresh = newBot();
    await fresh.finish(fresh.session.importSession(OLD));
    await fresh.start();
    await fresh.untilState('awaiting_qr');
    const { decision } = fresh.session.status();
    const before = (await fresh.session.listSnapshots()).find(({ id }) => id === decision?.snapshotId);
    expect(before?.lineage).toBe(alive.lineage);
    expect(decision?.message).toContain(`importSession(${JSON.stringify(OLD)})`);
    expect(rejections(fresh)).toEqual([decision?.message]);
    await fresh.finish(fresh.session.restore(before?.id));
    await fresh.untilState('ready');
    expect([accountOf(fresh), fresh.session.status().decision]).toEqual([BEN, undefined]);
  });

  it('that is accepted stays, and nothing brings the login before it back', async () => {
    const bot = newBot();
    await bot.logIn(BEN);
    await stage().clock.advance(100_000);
    await bot.backUp('before');
    await writeFakeProfile(stage().fs, OLD, { ...stage().whatsApp.pair(ANNA), note: 'imported' });
    await bot.finish(bot.session.importSession(OLD));
    await bot.untilState('ready');
    expect(accountOf(bot)).toBe(ANNA);
    await bot.client.logOutByPhone();
    await bot.untilState('awaiting_qr');
    expect(rejections(bot)).toEqual([]);
  });
});

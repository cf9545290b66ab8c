import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const ANNA = '4915100000001@c.us';
const BEN = '4915100000002@c.us';
const BY_HAND = { forceSaveIntervalMs: 0, backupIntervalMs: 0, sessionValidationIntervalMs: 0 };

const accountOf = (bot: FakeBot) => bot.client.info?.wid._serialized;

describe('a login that a person has restored over another one, and that WhatsApp rejects', () => {
  const stage = useFakeStage();
  const newBot = () => stage().bot({ session: { ...BY_HAND, backupPath: '/mnt/backup' } });

  /** A backup of a login that WhatsApp does not accept any more, and a later login in its place, which is in use. */
  async function twoLogins(first: string, second: string) {
    const before = newBot();
    await before.logIn(first);
    await stage().clock.advance(100_000);
    const dead = await before.backUp('dead');
    await before.stop();
    stage().whatsApp.revokeAll();
    const bot = newBot();
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
    await bot.client.scan(second);
    await bot.untilState('ready');
    await stage().clock.advance(100_000);
    const alive = await bot.backUp('alive');
    return { bot, dead, alive };
  }

  it.each(['while it runs', 'while it is stopped'])(
    'of another account (%s): the one that was in place is put back, as if nothing had been asked for',
    async (when) => {
      const { bot, dead } = await twoLogins(ANNA, BEN);
      if (when === 'while it is stopped') await bot.stop();
      const codes = bot.codes.length;
      await bot.finish(bot.session.restore(dead.id));
      if (when === 'while it is stopped') await bot.start();
      await bot.untilState('ready');
      expect([accountOf(bot), bot.codes.length]).toEqual([BEN, codes]);
    },
  );

  /** A new machine: the disk is empty, and a person names the wrong copy before the bot has started. */
  async function onNewMachine() {
    const { bot, dead, alive } = await twoLogins(ANNA, BEN);
    const { profile, session } = bot.session.status().paths;
    await bot.stop();
    for (const path of [dirname(profile), session]) await stage().remove(path);
    const fresh = newBot();
    await fresh.finish(fresh.session.restore(dead.id));
    await fresh.start();
    await fresh.untilState('awaiting_qr');
    return { bot: fresh, alive };
  }

  it('of another account, where none was in place: it is not brought back, a person is asked', async () => {
    const { bot, alive } = await onNewMachine();
    const { decision } = bot.session.status();
    const before = (await bot.session.listSnapshots()).find(({ id }) => id === decision?.snapshotId);
    expect(before?.lineage).toBe(alive.lineage);
    expect(decision?.message).toContain(`restore('${before?.id}')`);
    expect(bot.payloads('warning')).toContainEqual({ code: 'login-rejected', message: decision?.message });
    const { recommendations } = await bot.finish(bot.session.checkHealth());
    const told = recommendations.find(({ code }) => code === 'restore-rejected');
    expect(told?.text.en).toContain(`restore("${before?.id}")`);
    await bot.stop();
    const again = newBot();
    await again.start();
    expect([again.state, again.payloads('restore:started')]).toEqual(['awaiting_qr', []]);
    expect(again.session.status().decision).toEqual(decision);
    await again.finish(again.session.restore(alive.id));
    await again.untilState('ready');
    expect(accountOf(again)).toBe(BEN);
    expect(again.session.status().decision).toBeUndefined();
  });

  it('of another account, where none was in place: a scan is an answer, too', async () => {
    const { bot } = await onNewMachine();
    await bot.client.scan(ANNA);
    await bot.untilState('ready');
    await bot.until('the run', () => bot.session.status().run > 0);
    expect(bot.session.status().decision).toBeUndefined();
  });

  it.each(['while it runs', 'while it is stopped'])(
    'of the same account (%s): the one before it is brought back',
    async (when) => {
      const { bot, dead } = await twoLogins(ANNA, ANNA);
      if (when === 'while it is stopped') await bot.stop();
      const codes = bot.codes.length;
      await bot.finish(bot.session.restore(dead.id));
      if (when === 'while it is stopped') await bot.start();
      await bot.untilState('ready');
      expect([accountOf(bot), bot.codes.length]).toEqual([ANNA, codes]);
      expect((await bot.client.readLogin())?.note).toBe('alive');
    },
  );
});

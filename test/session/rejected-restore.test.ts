import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ANNA, accountOf, BEN } from '../support/accounts.js';
import { useFakeStage } from '../support/fake-stage.js';

const CEM = '4915100000003@c.us';
const BY_HAND = { forceSaveIntervalMs: 0, backupIntervalMs: 0, sessionValidationIntervalMs: 0 };

describe('a login that a person has restored over another one, and that WhatsApp rejects', () => {
  const stage = useFakeStage();
  const newBot = () => stage().bot({ session: { ...BY_HAND, backupPath: '/mnt/backup' } });

  /** A backup of a login that WhatsApp does not accept any more, and a later login in its place, which is in use. */
  async function twoLogins(first: string, second: string, { isFirst = true } = {}) {
    const before = newBot();
    await before.start();
    if (isFirst) expect(before.state).toBe('awaiting_qr');
    await before.client.scan(first);
    await before.untilState('ready');
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

  it('twice in a row, while it is stopped: what was in place before the first is put back', async () => {
    const { first, second, bot } = await threeLogins();
    await bot.stop();
    await bot.finish(bot.session.restore(first.id));
    await bot.finish(bot.session.restore(second.id));
    await bot.start();
    await bot.untilState('ready');
    expect([accountOf(bot), bot.session.status().decision]).toEqual([BEN, undefined]);
    expect((await bot.client.readLogin())?.note).toBe('alive');
  });

  it('twice, where none was in place: the decision is the same after the second one', async () => {
    const { first, second, alive, bot } = await threeLogins();
    const { profile, session } = bot.session.status().paths;
    await bot.stop();
    for (const path of [dirname(profile), session]) await stage().remove(path);
    const fresh = newBot();
    await fresh.finish(fresh.session.restore(first.id));
    await fresh.start();
    await fresh.untilState('awaiting_qr');
    const decision = fresh.session.status().decision;
    await stage().clock.advance(1_000);
    await fresh.finish(fresh.session.restore(second.id));
    await fresh.untilState('awaiting_qr');
    const next = fresh.session.status().decision;
    expect(next?.snapshotId).toBe(decision?.snapshotId);
    expect(next?.message).toContain(`restore('${second.id}')`);
    expect((next?.since ?? '') > (decision?.since ?? '')).toBe(true);
    await fresh.finish(fresh.session.restore(next?.snapshotId));
    await fresh.untilState('ready');
    expect(accountOf(fresh)).toBe(BEN);
    expect((await fresh.session.listSnapshots()).find(({ id }) => id === next?.snapshotId)?.lineage).toBe(
      alive.lineage,
    );
  });

  /** Two dead logins of other accounts, and the one in use, which was paired last. */
  async function threeLogins() {
    const one = newBot();
    await one.logIn(CEM);
    await stage().clock.advance(100_000);
    const first = await one.backUp('first');
    await one.stop();
    stage().whatsApp.revokeAll();
    const { bot, dead: second, alive } = await twoLogins(ANNA, BEN, { isFirst: false });
    return { first, second, alive, bot };
  }

  it.each(['while it runs', 'after a kill'])(
    'over a login that was never saved (%s): the way back to it is told',
    async (when) => {
      const before = newBot();
      await before.logIn(ANNA);
      await stage().clock.advance(100_000);
      const dead = await before.backUp('dead');
      await before.stop();
      stage().whatsApp.revokeAll();
      const running = newBot();
      await running.start();
      await running.client.scan(BEN);
      await running.untilState('ready');
      await running.note('never saved');
      let bot = running;
      if (when === 'after a kill') {
        running.client.pupBrowser?.kill();
        await running.stop();
        bot = newBot();
      }
      await bot.finish(bot.session.restore(dead.id));
      if (when === 'after a kill') await bot.start();
      await bot.untilState('awaiting_qr');
      const messages = bot
        .payloads('warning')
        .flatMap(({ code, message }) => (code === 'login-rejected' ? [message] : []));
      const [, path] = /importSession\("(.+?)"\)/.exec(messages.join()) ?? [];
      await bot.finish(bot.session.importSession(path ?? '-'));
      await bot.untilState('ready');
      expect([accountOf(bot), (await bot.client.readLogin())?.note]).toEqual([BEN, 'never saved']);
    },
  );
});

import { describe, expect, it } from 'vitest';
import type { PersistentSessionOptions } from '../../src/index.js';
import { ANNA, accountOf, BEN } from '../support/accounts.js';
import { BY_HAND } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';
import { IllStore } from '../support/ill-store.js';

const PROFILE = '/bot/auth/session-shop';

describe('a dead profile that was put back while the session was stopped, and its saves can not be read', () => {
  const stage = useFakeStage();
  const newBot = (session: PersistentSessionOptions) => stage().bot({ session: { ...BY_HAND, ...session } });

  /** BEN's login came after ANNA's; then her dead profile is put in its place, without its record. */
  async function annaPutBack(session: PersistentSessionOptions, withLogout: boolean): Promise<void> {
    const bot = newBot(session);
    await bot.logIn(ANNA);
    const earlier = await stage().copyTree(PROFILE);
    await bot.save('of ANNA');
    await bot.finish(bot.session.backup());
    await bot.client.logOutByPhone();
    await bot.untilState('awaiting_qr');
    await bot.client.scan(BEN);
    await bot.untilState('ready');
    await stage().clock.advance(60_000);
    await bot.save('of BEN');
    await bot.finish(bot.session.backup());
    await bot.stop();
    await stage().remove(PROFILE);
    await earlier.putAt(PROFILE);
    stage().whatsApp.answersWithLogout = withLogout;
  }

  async function isBenNext(session: PersistentSessionOptions): Promise<void> {
    const next = newBot(session);
    await next.start();
    expect([next.state, accountOf(next), next.codes]).toEqual(['ready', BEN, []]);
    await next.stop();
  }

  const unmount = (from: string) => stage().fs.promises.rename(from, '/away');
  async function mountAgain(at: string): Promise<void> {
    await stage().remove(at);
    await stage().fs.promises.rename('/away', at);
  }

  describe.each([true, false])('and WhatsApp answers it with a logout: %s', (withLogout) => {
    it.each(['refuses', 'hangs'] as const)('does not end the later login: its store %s', async (illness) => {
      const store = new IllStore('ill', stage().clock);
      await annaPutBack({ store }, withLogout);
      store.fall(illness);
      await isBenNext({ store }); // out of the backups
      store.recover();
      await isBenNext({ store });
    });

    it.each(['refuses', 'hangs'] as const)('waits for the stores: all of them: %s', async (illness) => {
      const stores = {
        store: new IllStore('saves', stage().clock),
        backupStore: new IllStore('backups', stage().clock),
      };
      await annaPutBack(stores, withLogout);
      for (const one of Object.values(stores)) one.fall(illness);
      const bot = newBot(stores);
      bot.start().catch(() => undefined);
      await stage().clock.advance(200_000);
      expect([bot.state === 'ready', bot.codes]).toEqual([false, []]);
      for (const one of Object.values(stores)) one.recover();
      await bot.untilState('ready');
      expect([accountOf(bot), bot.codes]).toEqual([BEN, []]);
      await bot.stop();
      await isBenNext(stores);
    });

    it('does not end the later login: no disk of copies is mounted', async () => {
      const places = { sessionPath: '/volume/session', backupPath: '/volume/backup' };
      await annaPutBack(places, withLogout);
      await unmount('/volume');
      const bot = newBot(places);
      await bot.start();
      await bot.stop();
      await mountAgain('/volume');
      await isBenNext(places);
    });

    it('does not end the later login: the disk of its saves is not mounted', async () => {
      const places = { sessionPath: '/volume/session' };
      await annaPutBack(places, withLogout);
      await unmount('/volume');
      await isBenNext(places);
      await mountAgain('/volume');
      await isBenNext(places);
    });

    it('does not end the later login: the save that it is based on is gone', async () => {
      await annaPutBack({}, withLogout);
      for (const path of await stage().filesBelow('/bot/session/store/shop/snapshots'))
        await stage().remove(path);
      await isBenNext({});
    });

    it('ends the later login, too, where WhatsApp does not accept that either', async () => {
      const store = new IllStore('ill', stage().clock);
      await annaPutBack({ store }, withLogout);
      store.fall('refuses');
      stage().whatsApp.revokeAll();
      const bot = newBot({ store });
      bot.start().catch(() => undefined);
      await bot.untilState('awaiting_qr').catch(() => undefined);
      store.recover();
      await bot.untilState('awaiting_qr');
      await bot.stop();
      const next = newBot({ store });
      await next.start();
      expect([next.state, next.payloads('restore:started')]).toEqual(['awaiting_qr', []]);
    });
  });
});

describe('a bot that was moved by a copy, and its saves can not be read', () => {
  const stage = useFakeStage();

  it('ends by a logout of the phone all the same', async () => {
    const store = new IllStore('ill', stage().clock);
    const newBot = () => stage().bot({ session: { ...BY_HAND, store } });
    const first = newBot();
    await first.logIn(ANNA);
    await first.save('one');
    await first.finish(first.session.backup());
    await first.stop();
    const copy = await stage().copyTree('/bot');
    await stage().remove('/bot');
    await copy.putAt('/bot');
    store.fall('refuses');
    const bot = newBot();
    await bot.start();
    await bot.client.logOutByPhone();
    await bot.untilState('awaiting_qr');
    expect(bot.payloads('restore:started')).toEqual([]);
    store.recover();
    await bot.stop();
    const next = newBot();
    await next.start();
    expect([next.state, next.payloads('restore:started')]).toEqual(['awaiting_qr', []]);
  });

  it('goes on with its lineage, and is saved, as soon as the store is back', async () => {
    const stores = {
      store: new IllStore('saves', stage().clock),
      backupStore: new IllStore('backups', stage().clock),
    };
    const newBot = () => stage().bot({ session: { ...BY_HAND, ...stores } });
    const first = newBot();
    await first.logIn(ANNA);
    const { lineage } = await first.save('one');
    await first.stop();
    const copy = await stage().copyTree('/bot');
    await stage().remove('/bot');
    await copy.putAt('/bot');
    for (const one of Object.values(stores)) one.fall('refuses');
    const bot = newBot();
    await bot.start();
    await bot.note('two');
    expect(await bot.finish(bot.session.forceSave())).toEqual({ skipped: 'unsound' });
    for (const one of Object.values(stores)) one.recover();
    expect((await bot.save('three')).lineage).toBe(lineage);
    expect(bot.warnings).not.toContain('profile-replaced');
  });
});

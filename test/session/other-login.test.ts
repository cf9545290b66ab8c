import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FakeClient } from '../../src/testing/fake-client.js';
import { writeFakeProfile } from '../../src/testing/fake-profile.js';
import { ANNA, accountOf, BEN } from '../support/accounts.js';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { INDEXED_DB, LOCAL_STORAGE, useFakeStage } from '../support/fake-stage.js';

const PROFILE = '/bot/auth/session-shop';

describe('a whole profile of another login in place of the last one, while the record stayed', () => {
  const stage = useFakeStage();
  const newBot = () => stage().bot({ session: BY_HAND });

  async function annaSaved(): Promise<FakeBot> {
    const bot = newBot();
    await bot.logIn(ANNA);
    for (const note of ['first', 'second', 'a third one, so that the log is longer than the other']) {
      await stage().clock.advance(100_000);
      await bot.save(note);
    }
    await bot.stop();
    return bot;
  }

  /** As by a plain bot with the same LocalAuth. */
  async function putBenInPlace(account = BEN): Promise<void> {
    const { whatsApp, fs } = stage();
    await stage().remove(PROFILE);
    await writeFakeProfile(fs, PROFILE, whatsApp.pair(account));
  }

  it.each([BEN, ANNA])('is used, whoever it is (%s), and its snapshots start anew', async (account) => {
    await annaSaved();
    await putBenInPlace(account);
    const bot = newBot();
    await bot.start();
    expect([bot.state, accountOf(bot), bot.codes]).toEqual(['ready', account, []]);
    expect(bot.warnings).toContain('profile-replaced');
    expect(bot.payloads('restore:started')).toEqual([]);
    expect((await bot.client.readLogin())?.credential).toBe('credential-2');
    const saved = await bot.save('of the new one');
    const lineages = new Set((await bot.session.listSnapshots()).map(({ lineage }) => lineage));
    expect([lineages.size, saved.run]).toEqual([2, 1]);
  });

  it('is used after a plain bot was logged out by the phone, and paired anew', async () => {
    await annaSaved();
    const { whatsApp, fs } = stage();
    whatsApp.revokeAll();
    const plain = new FakeClient({ whatsApp, fs, localAuth: { dataPath: '/bot/auth', clientId: 'shop' } });
    await stage().remove(PROFILE);
    await plain.initialize();
    await plain.scan(BEN);
    await plain.destroy();
    const bot = newBot();
    await bot.start();
    expect([bot.state, accountOf(bot), bot.codes]).toEqual(['ready', BEN, []]);
  });

  it.each([
    ['a QR', false],
    ['a logout', true],
  ])('gives way to the login before it where it meets %s', async (_answer, withLogout) => {
    await annaSaved();
    await putBenInPlace();
    stage().whatsApp.revoke({ credential: 'credential-2', note: '' });
    stage().whatsApp.answersWithLogout = withLogout;
    const bot = newBot();
    await bot.start();
    expect([bot.state, accountOf(bot), bot.codes]).toEqual(['ready', ANNA, []]);
    expect(bot.payloads('restore:completed')).toMatchObject([{ reason: 'silent-logout' }]);
  });

  it('ends in a QR where both are answered with a logout', async () => {
    await annaSaved();
    await putBenInPlace();
    stage().whatsApp.revokeAll();
    stage().whatsApp.answersWithLogout = true;
    const bot = newBot();
    bot.start().catch(() => undefined);
    await bot.untilState('awaiting_qr');
    expect(bot.payloads('restore:started')).toHaveLength(1);
  });

  it('does not give way any more when it was ready once', async () => {
    await annaSaved();
    await putBenInPlace();
    const bot = newBot();
    await bot.start();
    await bot.finish(bot.client.destroy());
    await stage().remove('/bot/session');
    stage().whatsApp.revoke({ credential: 'credential-2', note: '' });
    const next = newBot();
    await next.start();
    expect([next.state, next.payloads('restore:started')]).toEqual(['awaiting_qr', []]);
  });

  it('ends alone where WhatsApp answers it with a logout: the snapshots before it are not marked', async () => {
    await annaSaved();
    await putBenInPlace();
    stage().whatsApp.revoke({ credential: 'credential-2', note: '' });
    stage().whatsApp.answersWithLogout = true;
    const bot = newBot();
    await bot.start();
    expect((await bot.session.listSnapshots()).map(({ revoked }) => revoked)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it.each([INDEXED_DB, LOCAL_STORAGE])(
    'is not taken for one where %s is still of the last one',
    async (half) => {
      await annaSaved();
      const kept = await stage().copyTree(join(PROFILE, half));
      await putBenInPlace();
      await stage().remove(join(PROFILE, half));
      await kept.putAt(join(PROFILE, half));
      const bot = newBot();
      await bot.start();
      expect([bot.state, accountOf(bot)]).toEqual(['ready', ANNA]);
      expect(bot.payloads('restore:completed')).toMatchObject([{ reason: 'profile-damaged' }]);
    },
  );

  it('is not taken for one where the logs of the last one only lost their ends', async () => {
    const bot = newBot();
    await bot.logIn(ANNA);
    const young = await stage().copyTree(PROFILE);
    await stage().clock.advance(100_000);
    await bot.save('later');
    await bot.stop();
    await stage().remove(PROFILE);
    await young.putAt(PROFILE);
    const next = newBot();
    await next.start();
    expect(next.payloads('restore:completed')).toMatchObject([{ reason: 'profile-damaged' }]);
    expect(next.warnings).not.toContain('profile-replaced');
  });
});

import { describe, expect, it } from 'vitest';
import { writeFakeProfile } from '../../src/testing/fake-profile.js';
import { ANNA, accountOf, BEN } from '../support/accounts.js';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const PROFILE = '/bot/auth/session-shop';

describe('a profile that is exchanged by hand while the session runs', () => {
  const stage = useFakeStage();
  const newBot = (session = {}) => stage().bot({ session: { ...BY_HAND, ...session } });

  /** A bot with BEN's login, which came after ANNA's: her profile, of before the phone logged her out, is kept. */
  async function benAfterAnna({ sameFolders = false } = {}): Promise<{
    bot: FakeBot;
    putAnnaBack: () => Promise<void>;
  }> {
    const bot = newBot();
    await bot.logIn(ANNA);
    const earlier = await stage().copyTree(PROFILE);
    await bot.save('of ANNA');
    await bot.client.logOutByPhone();
    await bot.untilState('awaiting_qr');
    await bot.client.scan(BEN);
    await bot.untilState('ready');
    await bot.save('of BEN');
    await bot.finish(bot.session.backup());
    stage().whatsApp.answersWithLogout = true;
    const putAnnaBack = async () => {
      const removed = sameFolders ? await stage().filesBelow(PROFILE) : [PROFILE];
      for (const path of removed) await stage().remove(path);
      await earlier.putAt(PROFILE);
    };
    return { bot, putAnnaBack };
  }

  async function expectBen(bot: FakeBot): Promise<void> {
    expect([bot.state, accountOf(bot), bot.codes]).toEqual(['ready', BEN, []]);
    await bot.stop();
    const next = newBot();
    await next.start();
    expect([next.state, accountOf(next), next.codes]).toEqual(['ready', BEN, []]);
  }

  it.each(['forceSave', 'backup'] as const)('is not taken for the running login by %s()', async (call) => {
    const { bot, putAnnaBack } = await benAfterAnna();
    await putAnnaBack();
    expect(await bot.finish(bot.session[call]())).toEqual({ skipped: 'unsound' });
    expect(await bot.finish(bot.session[call]())).toEqual({ skipped: 'unsound' });
    expect(bot.payloads('warning').filter(({ code }) => code === 'profile-replaced')).toHaveLength(1);
    bot.client.pupBrowser?.kill();
    await bot.until('the restart', () => bot.states.includes('reconnecting'));
    await bot.untilState('ready');
    const next = newBot();
    await bot.stop();
    await next.start();
    await expectBen(next);
  });

  it('is not taken for the running login where it is copied into the folders of that', async () => {
    const { bot, putAnnaBack } = await benAfterAnna({ sameFolders: true });
    await putAnnaBack();
    expect(await bot.finish(bot.session.forceSave())).toEqual({ skipped: 'unsound' });
    expect(await bot.finish(bot.session.backup())).toEqual({ skipped: 'unsound' });
    expect(bot.warnings.filter((code) => code === 'profile-replaced')).toHaveLength(1);
  });

  it('is not taken for it by the final save, where the bot did not wait for the end of its client', async () => {
    const { bot, putAnnaBack } = await benAfterAnna();
    await bot.note('not saved yet');
    const ending = bot.client.destroy();
    await putAnnaBack();
    const next = newBot();
    await next.start();
    await bot.finish(ending);
    await expectBen(next);
  });

  it('does not bring the other account in after a loss of the disk', async () => {
    const bot = newBot({ backupPath: '/mnt/backup' });
    await bot.logIn(ANNA);
    await bot.backUp('of ANNA');
    await stage().remove(PROFILE);
    await writeFakeProfile(stage().fs, PROFILE, stage().whatsApp.pair(BEN));
    expect(await bot.finish(bot.session.backup())).toEqual({ skipped: 'unsound' });
    bot.client.pupBrowser?.kill();
    await bot.stop();
    await stage().remove('/bot');
    const next = newBot({ backupPath: '/mnt/backup' });
    await next.start();
    expect([next.state, accountOf(next)]).toEqual(['ready', ANNA]);
  });

  it('does not end the running login by a logout that the page meets with it', async () => {
    const { bot, putAnnaBack } = await benAfterAnna();
    await putAnnaBack();
    await bot.client.logOutByPhone();
    await bot.until('the restore', () => bot.payloads('restore:completed').length > 0);
    await bot.untilState('ready');
    await bot.stop();
    const next = newBot();
    await next.start();
    await expectBen(next);
  });

  it('does not keep the running login from ending where the phone has logged that out', async () => {
    const { bot, putAnnaBack } = await benAfterAnna();
    await putAnnaBack();
    stage().whatsApp.revokeAll();
    await bot.client.logOutByPhone();
    await bot.untilState('awaiting_qr');
    expect(bot.payloads('restore:started')).toHaveLength(1);
    expect((await bot.session.listSnapshots()).filter(({ revoked }) => !revoked)).toEqual([]);
  });

  it('is no exchange where its first write makes the folder anew, as on a file system of layers', async () => {
    await writeFakeProfile(stage().fs, PROFILE, stage().whatsApp.pair(ANNA));
    const bot = newBot();
    let isWritten = false;
    Object.assign(bot.client.authStrategy, {
      afterBrowserInitialized: async () => {
        const same = await stage().copyTree(PROFILE);
        await stage().remove(PROFILE);
        await same.putAt(PROFILE);
        isWritten = true;
      },
    });
    await bot.start();
    expect(isWritten).toBe(true);
    await bot.save('one');
    expect(bot.warnings).not.toContain('profile-replaced');
  });

  it('is no exchange where the browser opens its databases anew', async () => {
    const bot = newBot();
    await bot.logIn(ANNA);
    await bot.save('one');
    for (const path of (await stage().filesBelow(PROFILE)).filter((path) => path.endsWith('/CURRENT'))) {
      const bytes = await stage().fs.promises.readFile(path);
      await stage().remove(path);
      await stage().fs.promises.writeFile(path, bytes);
    }
    await bot.save('two');
    expect(bot.warnings).not.toContain('profile-replaced');
  });

  it('goes on where it is a copy of the same login', async () => {
    const bot = newBot();
    await bot.logIn(ANNA);
    await bot.save('one');
    const same = await stage().copyTree(PROFILE);
    await stage().remove(PROFILE);
    await same.putAt(PROFILE);
    await bot.save('two');
    expect(bot.warnings).not.toContain('profile-replaced');
  });
});

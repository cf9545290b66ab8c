import { describe, expect, it } from 'vitest';
import { FileSystemStore } from '../../src/index.js';
import { writeFakeProfile } from '../../src/testing/fake-profile.js';
import { ANNA, BEN } from '../support/accounts.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';
import { marksIn } from '../support/marks-in.js';

const OLD = '/image/RemoteAuth-shop';

const BOT = {
  client: { localAuth: { dataPath: '/container/.wwebjs_auth', clientId: 'shop' } },
  session: {
    forceSaveIntervalMs: 0,
    backupIntervalMs: 0,
    sessionValidationIntervalMs: 0,
    healthCheckIntervalMs: 0,
    sessionPath: '/volume/saves',
    backupPath: '/volume/backups',
    retention: { saves: { keepLast: 1 }, backups: { keepLast: 1, keepDaily: 0 } },
  },
};

/** The old session is in the image, the profile in the container; the saves and the backups are on volumes. */
describe('importSession() left in a bot whose container is made anew', () => {
  const stage = useFakeStage();

  async function startWithTheLine(): Promise<FakeBot> {
    const bot = stage().bot(BOT);
    await bot.finish(bot.session.importSession(OLD));
    await bot.start();
    await bot.until('an end', () => bot.state === 'ready' || bot.state === 'awaiting_qr');
    return bot;
  }

  /** Anna's old login, taken over and copied into both stores. */
  async function imported(): Promise<FakeBot> {
    await writeFakeProfile(stage().fs, OLD, { ...stage().whatsApp.pair(ANNA), note: 'old' });
    const bot = await startWithTheLine();
    await stage().clock.advance(100_000);
    await copy(bot, 'imported');
    return bot;
  }

  /** The imported login dies without a word, another is scanned, and no copy of the first is kept. */
  async function replaced(account = BEN): Promise<void> {
    await (await imported()).stop();
    stage().whatsApp.revokeAll();
    const bot = await startWithTheLine();
    await scan(bot, account);
    await copyUntilOthersAreGone(bot);
    await bot.stop();
  }

  async function copy(bot: FakeBot, note: string): Promise<void> {
    await bot.save(note);
    await bot.backUp(note);
    await stage().clock.advance(100_000);
  }

  async function copyUntilOthersAreGone(bot: FakeBot): Promise<void> {
    for (const note of ['a', 'b', 'c']) await copy(bot, note);
    const lineages = (await bot.session.listSnapshots()).map(({ lineage }) => lineage);
    expect(lineages.length).toBeGreaterThan(1);
    expect(new Set(lineages).size).toBe(1);
  }

  async function scan(bot: FakeBot, account: string): Promise<void> {
    expect(bot.state).toBe('awaiting_qr');
    await bot.client.scan(account);
    await bot.untilState('ready');
    await stage().clock.advance(100_000);
  }

  async function newContainer(): Promise<void> {
    await stage().remove('/container');
    await stage().remove(`${OLD}.moved.json`);
  }

  async function expectToGoOn(account: string): Promise<FakeBot> {
    const bot = await startWithTheLine();
    expect(bot.codes).toEqual([]);
    expect(bot.payloads('session:imported')).toEqual([]);
    expect(bot.client.info?.wid._serialized).toBe(account);
    return bot;
  }

  it.each([
    ['the same', ANNA],
    ['another', BEN],
  ])('goes on with the login of %s account, scanned after the imported one had died', async (_, account) => {
    await replaced(account);
    await newContainer();
    await expectToGoOn(account);
  });

  it('goes on over several containers, and with one store alone', async () => {
    await replaced();
    for (const round of ['1', '2', '3']) {
      await newContainer();
      await stage().remove('/volume/backups');
      const bot = await expectToGoOn(BEN);
      await copy(bot, `round ${round}`);
      await copy(bot, `round ${round}, again`);
      await bot.stop();
    }
  });

  it('goes on with the stores lost, by the record of a profile that was restored', async () => {
    await replaced();
    await newContainer();
    await (await expectToGoOn(BEN)).stop();
    await stage().remove('/volume');
    await stage().remove(`${OLD}.moved.json`);
    await expectToGoOn(BEN);
  });

  it('goes on where the bot was moved by one of its backups', async () => {
    await replaced();
    const { promises } = stage().fs;
    const [zip = ''] = (await stage().filesBelow('/volume/backups')).filter((path) => path.endsWith('.zip'));
    await promises.rename(zip, '/image/moved.zip');
    for (const folder of ['/container', '/volume', `${OLD}.moved.json`]) await stage().remove(folder);
    const bot = stage().bot(BOT);
    await bot.finish(bot.session.importSession('/image/moved.zip'));
    await expectToGoOn(BEN);
  });

  it('goes on with the record lost before the first copy of the new login', async () => {
    await (await imported()).stop();
    stage().whatsApp.revokeAll();
    const first = await startWithTheLine();
    await scan(first, BEN);
    await first.stop();
    for (const name of await stage().fs.promises.readdir('/container/.wwebjs_auth')) {
      if (String(name).endsWith('.persistent')) await stage().remove(`/container/.wwebjs_auth/${name}`);
    }
    const second = await startWithTheLine();
    await copyUntilOthersAreGone(second);
    await second.stop();
    await newContainer();
    await expectToGoOn(BEN);
  });

  it('does not bring a removed device back in place of its successor', async () => {
    const first = await imported();
    const closing = first.client.destroy();
    await stage().remove(first.client.profileDir);
    await first.finish(closing);
    const second = await startWithTheLine();
    await scan(second, BEN);
    await copyUntilOthersAreGone(second);
    await second.stop();
    await newContainer();
    await expectToGoOn(BEN);
  });

  it('does not bring a removed device back that only a mark in a store tells of', async () => {
    const first = await imported();
    const { lineage } = first.payloads('session:imported')[0]?.snapshot ?? {};
    await first.stop();
    for (const folder of ['/container', '/volume']) await stage().remove(folder);
    const second = stage().bot(BOT);
    await second.logIn(BEN);
    await stage().clock.advance(100_000);
    await copy(second, 'ben');
    await second.stop();
    const store = new FileSystemStore('/volume/saves/store', { fs: stage().fs });
    const hold = { cause: 'removed', at: new Date().toISOString() } as const;
    await marksIn(store, 'shop').hold(lineage ?? '', hold);
    await newContainer();
    await expectToGoOn(BEN);
  });

  it('tells of it also after a clear(), with the login that came after, while a store does not say that it is empty', async () => {
    const bot = await imported();
    await bot.finish(bot.session.clear());
    await writeFakeProfile(stage().fs, bot.client.profileDir, { ...stage().whatsApp.pair(BEN), note: 'own' });
    stage().fs.arm({ path: /\/volume\/backups\/shop/, failOn: 1, times: 1000 });
    await bot.start();
    expect(bot.state).toBe('ready');
    await stage().clock.advance(100_000);
    await bot.save('ben');
    stage().fs.arm({});
    const infos = await bot.session.listSnapshots();
    expect(infos.length).toBeGreaterThan(0);
    // The call of importSession() may still be in the bot, and must not replace this login.
    for (const info of infos) expect(info.imported).toEqual([expect.stringMatching(/-i[0-9a-f]{48}$/)]);
  });
});

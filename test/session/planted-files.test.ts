import fs from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeFakeProfile } from '../../src/testing/fake-profile.js';
import { BY_HAND, type FakeBot, type FakeBotOptions } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';
import { useNamedPipes } from '../support/named-pipe.js';

const PRECIOUS = 'a file of somebody else\n';

/** What somebody else puts where a small file of this library is expected, on a real disk. */
describe('in the place of a small file', () => {
  const stage = useFakeStage();
  let root = '';
  let side = '';

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'planted-'));
    side = join(root, 'bot/auth/.session-shop.persistent');
  });

  afterEach(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));
  const plantPipe = useNamedPipes();

  const newBot = (options: FakeBotOptions = {}): FakeBot =>
    stage().bot({ folder: join(root, 'bot'), client: { fs }, session: { ...BY_HAND, fs }, ...options });

  async function pairedBot(): Promise<{
    readonly bot: FakeBot;
    readonly lineage: string;
    readonly id: string;
  }> {
    const bot = newBot();
    await bot.logIn();
    await stage().clock.advance(100_000);
    const { lineage, id } = await bot.save('one');
    return { bot, lineage, id };
  }

  async function oldSession(folder: string): Promise<string> {
    await writeFakeProfile(fs, folder, { ...stage().whatsApp.pair('4915100000001@c.us'), note: 'old' });
    return folder;
  }

  async function plantLink(path: string): Promise<void> {
    await writeFile(join(root, 'victim'), PRECIOUS);
    await rm(path, { force: true });
    await mkdir(dirname(path), { recursive: true });
    await symlink(join(root, 'victim'), path);
  }

  describe('a symbolic link is never written through:', () => {
    afterEach(async () => {
      expect(await readFile(join(root, 'victim'), 'utf8')).toBe(PRECIOUS);
    });

    it.each(['beside the profile', 'in sessionPath'])('the note of a logout, %s', async (place) => {
      const { bot, lineage } = await pairedBot();
      const inSide = place === 'beside the profile';
      await plantLink(
        inSide ? join(side, `logged-out-${lineage}`) : join(root, `bot/session/.shop.logged-out-${lineage}`),
      );
      await bot.client.logOutByPhone();
      await bot.untilState('awaiting_qr');
    });

    it.each(['session.json.tmp', 'session.json', 'browser.json.tmp', 'browser.json'])('%s', async (name) => {
      await plantLink(join(side, name));
      const { bot } = await pairedBot();
      expect(bot.state).toBe('ready');
    });

    it('the journal of a restore', async () => {
      const { bot, id } = await pairedBot();
      await plantLink(join(side, 'install-journal.json.tmp'));
      await bot.finish(bot.session.restore(id));
    });

    it('the note beside an old session', async () => {
      const old = await oldSession(join(root, 'old/session-shop'));
      await plantLink(`${old}.moved.json`);
      const bot = newBot();
      await bot.finish(bot.session.importSession(old));
      expect(JSON.parse(await readFile(`${old}.moved.json`, 'utf8'))).toMatchObject({ clientId: 'shop' });
    });

    it('the probe in the web cache', async () => {
      const cache = join(root, 'bot/.wwebjs_cache');
      await plantLink(join(cache, '.write-probe'));
      const bot = newBot();
      const webVersionCache = { type: 'local', path: cache };
      Object.assign(bot.client.options, { webVersionCache });
      await bot.logIn();
      expect(bot.client.options).toMatchObject({ webVersionCache });
    });
  });

  describe('a named pipe holds up nothing:', () => {
    it.each(['session.json', 'browser.json', 'install-journal.json'])('%s', async (name) => {
      const { bot } = await pairedBot();
      await bot.stop();
      await plantPipe(join(side, name));
      const next = newBot();
      await next.start();
      expect(next.state).toBe('ready');
    });

    it.each(['session.json.tmp', 'browser.json.tmp'])('%s', async (name) => {
      await plantPipe(join(side, name));
      const { bot } = await pairedBot();
      expect(bot.state).toBe('ready');
    });

    it('the newest lease, which counts as one that nobody renews', async () => {
      await plantPipe(join(root, 'bot/session/lease/shop.7.lease'));
      const { bot } = await pairedBot();
      expect(bot.state).toBe('ready');
      expect(fs.readdirSync(join(root, 'bot/session/lease'))).toEqual(['shop.8.lease']);
    });

    it('the note beside an old session', async () => {
      const old = await oldSession(join(root, 'old/session-shop'));
      await plantPipe(`${old}.moved.json`);
      const bot = newBot();
      await bot.finish(bot.session.importSession(old));
      expect(bot.payloads('session:imported')).toHaveLength(1);
    });

    it('the page of WhatsApp Web that is asked for', async () => {
      const cache = join(root, 'bot/.wwebjs_cache');
      await plantPipe(join(cache, '2.3000.html'));
      const bot = newBot();
      Object.assign(bot.client.options, {
        webVersionCache: { type: 'local', path: cache },
        webVersion: '2.3000',
      });
      await bot.logIn();
      expect(bot.state).toBe('ready');
    });
  });
});

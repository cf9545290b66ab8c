import { readdirSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { PersistentBot } from '../support/persistent-bot.js';
import { useStage } from './setup.js';

/** What the delete routes of published gateways do, with real browsers: they write while their folder is deleted. */
describe('a device that is removed', () => {
  const stage = useStage();

  async function pairedBot(): Promise<PersistentBot> {
    const bot = stage.bot();
    await bot.logIn(stage.simulator);
    await bot.settledSave();
    return bot;
  }

  /** Begins anew where the browser has just made another file; rmSync()'s own tries only repeat the last step. */
  function deleteFolder(bot: PersistentBot, tries = 200): void {
    try {
      rmSync(bot.profileDir, { recursive: true, force: true });
    } catch (error) {
      if (tries === 0) throw error;
      deleteFolder(bot, tries - 1);
    }
  }
  const foldersLeft = (bot: PersistentBot) =>
    readdirSync(bot.authPath).filter((name) => !name.startsWith('.'));

  it('stays removed: destroy() not awaited, its folder deleted at once', async () => {
    const bot = await pairedBot();
    const closing = bot.client.destroy();
    deleteFolder(bot);
    await closing;
    expect(bot.payloads('warning').map(({ code }) => code)).toContain('profile-removed');
    expect(foldersLeft(bot)).toEqual([]);
    const next = stage.bot();
    await next.session.initialize();
    expect(next.session.state).toBe('awaiting_qr');
    expect(next.qrCodes).toHaveLength(1);
    expect((await next.session.listSnapshots()).length).toBeGreaterThan(0);
  });

  it('stays removed: destroy() awaited, its folder deleted then, and no client made for it in this process', async () => {
    const bot = await pairedBot();
    await bot.client.destroy();
    deleteFolder(bot);
    const warnings = () => bot.payloads('warning').map(({ code }) => code);
    await expect.poll(warnings, { timeout: 30_000 }).toContain('profile-removed');
    expect((await bot.session.listSnapshots()).map(({ held }) => held)).not.toContain(undefined);
    await expect.poll(() => bot.session.status().lease.held).toBe(false);
    expect(foldersLeft(bot)).toEqual([]);
  });

  it('stays removed: its folder deleted under the open browser, which is then killed', async () => {
    const bot = await pairedBot();
    deleteFolder(bot);
    const asked = bot.next('qr');
    bot.client.pupBrowser?.process()?.kill('SIGKILL');
    await asked;
    expect(bot.payloads('restore:started')).toEqual([]);
    const id = (await bot.session.listSnapshots())[0]?.id;
    await bot.session.restore(id); // and a person brings it back
    expect(bot.session.state).toBe('ready');
  });
});

import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import wweb, { type Client } from 'whatsapp-web.js';
import { closeBot, createBot, waitForEvent } from '../simulator/client.js';
import type { PersistentBot } from '../support/persistent-bot.js';
import { useStage } from './setup.js';

const PATIENCE_MS = 45_000;
const { RemoteAuth } = wweb;

/** What RemoteAuth needs of a store: this one keeps the zip where RemoteAuth has made it. */
class FolderStore {
  readonly #from: string;
  readonly #to: string;

  constructor(from: string, to: string) {
    this.#from = from;
    this.#to = to;
  }

  async sessionExists(): Promise<boolean> {
    return false;
  }

  async save({ session }: { session: string }): Promise<void> {
    await cp(join(this.#from, `${session}.zip`), join(this.#to, `${session}.zip`));
  }

  async extract(): Promise<void> {}
  async delete(): Promise<void> {}
}

describe('moving in from a bot without this library, in a real Chromium', () => {
  const stage = useStage();
  let old: Client | undefined;
  afterEach(async () => {
    if (old) await closeBot(old);
    old = undefined;
  });

  /** A plain client of whatsapp-web.js that logs in and stays open. */
  async function logInTheOldBot(
    options: Omit<Parameters<typeof createBot>[0], 'simulator'>,
  ): Promise<Client> {
    const client = createBot({ simulator: stage.simulator, ...options });
    old = client;
    const qr = waitForEvent(client, 'qr', PATIENCE_MS);
    await client.initialize();
    await qr;
    const ready = waitForEvent(client, 'ready', PATIENCE_MS);
    await stage.simulator.scan();
    await ready;
    return client;
  }

  async function expectReadyWithoutQr(bot: PersistentBot): Promise<void> {
    await bot.session.initialize();
    expect(bot.session.state).toBe('ready');
    expect(bot.qrCodes).toEqual([]);
    expect(bot.payloads('session:imported')).toHaveLength(1);
  }

  it('takes over the folder of LocalAuth: ready without a QR', async () => {
    const dataPath = join(stage.folder, '.wwebjs_auth');
    await closeBot(await logInTheOldBot({ auth: 'local', dataPath, clientId: 'bot' }));
    const before = await readdir(join(dataPath, 'session-bot'));
    const bot = stage.bot({ auth: 'none' });
    await bot.session.importSession(dataPath);
    await expectReadyWithoutQr(bot);
    expect(await readdir(join(dataPath, 'session-bot'))).toEqual(before);
    expect(await readdir(dataPath)).toContain('session-bot.moved.json');
  });

  it('takes over a zip that RemoteAuth itself has made: ready without a QR', async () => {
    const dataPath = join(stage.folder, 'remote');
    const strategy = new RemoteAuth({
      clientId: 'bot',
      dataPath,
      store: new FolderStore(dataPath, stage.folder),
      backupSyncIntervalMs: 60_000,
    });
    // Its own first save comes a minute after `ready`.
    strategy.afterAuthReady = async () => undefined;
    const client = await logInTheOldBot({ auth: strategy });
    await closeBot(client);
    await (strategy as unknown as { storeRemoteSession(): Promise<void> }).storeRemoteSession();
    const bot = stage.bot({ auth: 'none' });
    await bot.session.importSession(join(stage.folder, 'RemoteAuth-bot.zip'));
    await expectReadyWithoutQr(bot);
  });

  it('is refused with the pid while the old bot runs, and works once it is closed', async () => {
    const dataPath = join(stage.folder, '.wwebjs_auth');
    const client = await logInTheOldBot({ auth: 'local', dataPath, clientId: 'bot' });
    const bot = stage.bot({ auth: 'none' });
    await expect(bot.session.importSession(join(dataPath, 'session-bot'))).rejects.toMatchObject({
      code: 'PROFILE_LOCKED',
      pid: client.pupBrowser?.process()?.pid,
    });
    expect(client.pupBrowser?.connected).toBe(true);
    await closeBot(client);
    await bot.session.importSession(join(dataPath, 'session-bot'));
    await expectReadyWithoutQr(bot);
  });

  it('comes by itself at a first start where the older system kept its profile', async () => {
    const sessionPath = join(stage.folder, 'persistent-session');
    await closeBot(await logInTheOldBot({ auth: 'none', userDataDir: sessionPath }));
    const bot = stage.bot({ auth: 'none', session: { clientId: 'whatsapp-automation-pro-v2' } });
    await expectReadyWithoutQr(bot);
    expect(bot.payloads('session:imported')).toMatchObject([{ from: sessionPath }]);
  });
});

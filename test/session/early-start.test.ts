import { describe, expect, it } from 'vitest';
import { PersistentSession } from '../../src/index.js';
import { FakeClient } from '../../src/testing/fake-client.js';
import { useFakeStage } from '../support/fake-stage.js';
import { rejections } from '../support/rejections.js';

describe('a client that is started before its session is made', () => {
  const stage = useFakeStage();
  const localAuth = { dataPath: '/bot/auth', clientId: 'shop' };
  const newClient = () => new FakeClient({ whatsApp: stage().whatsApp, fs: stage().fs, localAuth });

  function newSession(client: FakeClient, errors: string[] = []): PersistentSession {
    const { clock, random, fs } = stage();
    const paths = { sessionPath: '/bot/session', backupPath: '/bot/backup' };
    const logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (message: string) => void errors.push(message),
    };
    return new PersistentSession(client, { ...paths, clock, random, fs, logger, shutdownSignals: [] });
  }

  it('is refused while its browser is open, as it was', async () => {
    const client = newClient();
    const { initialize } = client;
    await client.initialize();
    expect(() => newSession(client)).toThrow(/new PersistentSession\(client\) first, then initialize\(\)/);
    expect(client.initialize).toBe(initialize);
    expect(client.pupBrowser?.isConnected()).toBe(true);
    await client.destroy();
  });

  it('is taken once it was destroyed', async () => {
    const client = newClient();
    await client.initialize();
    await client.destroy();
    expect(newSession(client).state).toBe('idle');
  });

  it('is told of when its browser comes up later, and closed', async () => {
    const heard = rejections();
    const client = newClient();
    const start = client.initialize().catch(() => undefined);
    const errors: string[] = [];
    const warnings: string[] = [];
    const session = newSession(client, errors);
    session.on('warning', ({ code }) => warnings.push(code));
    await start;
    expect(warnings).toEqual(['started-early']);
    expect(errors).toEqual([expect.stringContaining('new PersistentSession(client) first')]);
    expect(client.pupBrowser?.isConnected()).toBe(false);
    expect(await heard()).toEqual([]);
  });

  it('is none whose start is the own one, given up on or not', async () => {
    const bot = stage().bot();
    await bot.logIn();
    await bot.finish(bot.session.reconnect());
    await bot.stop();
    expect(bot.warnings).not.toContain('started-early');
  });
});

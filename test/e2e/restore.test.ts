import { readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pageState } from '../simulator/client.js';
import { useStage } from './setup.js';

const INDEXED_DB = 'Default/IndexedDB/https_web.whatsapp.com_0.indexeddb.leveldb';
const LOCAL_STORAGE = 'Default/Local Storage/leveldb';

describe('a login in a real Chromium', () => {
  const stage = useStage();

  /** A bot that logged in, got a message and was stopped in order: its last snapshot is cold. */
  async function loggedInOnce(): Promise<{ profileDir: string; messages: number }> {
    const bot = stage.bot();
    await bot.logIn(stage.simulator);
    await stage.simulator.sendIncoming({ from: '4915100000002', body: 'remember me' });
    const { messageCount } = await pageState(bot.client);
    await bot.session.destroy();
    expect(bot.qrCodes).toHaveLength(1);
    return { profileDir: bot.profileDir, messages: messageCount };
  }

  it('is used as it is when the profile is sound', async () => {
    await loggedInOnce();
    const bot = stage.bot();
    await bot.session.initialize();
    expect(bot.session.state).toBe('ready');
    expect(bot.qrCodes).toEqual([]);
    expect(bot.payloads('restore:started')).toEqual([]);
  });

  it.each([
    ['IndexedDB MANIFEST deleted', INDEXED_DB, /^MANIFEST-/, 'delete'],
    ['IndexedDB CURRENT emptied', INDEXED_DB, /^CURRENT$/, 'empty'],
    ['Local Storage log emptied', LOCAL_STORAGE, /\.log$/, 'empty'],
    ['Local Storage MANIFEST garbage', LOCAL_STORAGE, /^MANIFEST-/, 'garbage'],
  ] as const)('comes back without a QR: %s', async (_name, folder, file, damage) => {
    const { profileDir, messages } = await loggedInOnce();
    const name = (await readdir(join(profileDir, folder))).find((entry) => file.test(entry));
    const path = join(profileDir, folder, name ?? 'nothing to damage');
    if (damage === 'delete') await rm(path);
    if (damage === 'empty') await truncate(path);
    if (damage === 'garbage') await writeFile(path, 'garbage');

    const bot = stage.bot();
    await bot.session.initialize();
    expect(bot.session.state).toBe('ready');
    expect(bot.qrCodes).toEqual([]);
    expect(bot.payloads('restore:completed')).toMatchObject([{ reason: 'profile-damaged' }]);
    expect(bot.payloads('session:quarantined')).toHaveLength(1);
    expect(await pageState(bot.client)).toMatchObject({ messageCount: messages });
  });

  it('comes back from the zip when profile and saves are gone', async () => {
    const first = stage.bot();
    await first.logIn(stage.simulator);
    await first.settledSave();
    await first.session.backup();
    await first.session.destroy();
    await rm(first.authPath, { recursive: true });
    await rm(first.sessionPath, { recursive: true });

    const bot = stage.bot();
    await bot.session.initialize();
    expect(bot.session.state).toBe('ready');
    expect(bot.qrCodes).toEqual([]);
    expect(bot.payloads('restore:completed')).toMatchObject([
      { reason: 'profile-absent', snapshot: { kind: 'backup' } },
    ]);
  });

  it('comes back when WhatsApp shows a QR although nobody logged out', async () => {
    await loggedInOnce();
    stage.simulator.setModes({ rejectLogin: 'silent' });
    const bot = stage.bot();
    bot.session.on('restore:started', () => stage.simulator.setModes({ rejectLogin: false }));
    await bot.session.initialize();
    expect(bot.session.state).toBe('ready');
    expect(stage.simulator.qrCount).toBeGreaterThan(1); // the page did show one
    expect(bot.qrCodes).toEqual([]);
    expect(bot.payloads('restore:completed').map(({ reason }) => reason)).toEqual(['silent-logout']);
  });

  it('asks for a QR only after the newest and one older snapshot were rejected', async () => {
    await loggedInOnce();
    stage.simulator.setModes({ rejectLogin: 'silent' });
    const bot = stage.bot();
    await bot.session.initialize();
    expect(bot.session.state).toBe('awaiting_qr');
    expect(bot.qrCodes).toHaveLength(1);
    expect(bot.payloads('restore:completed').length).toBeLessThanOrEqual(2);
    expect(bot.payloads('restore:completed').length).toBeGreaterThan(0);
    expect(bot.payloads('warning').map(({ code }) => code)).toContain('login-rejected');
  });
});

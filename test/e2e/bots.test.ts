import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { useStage } from './setup.js';

describe('any bot', () => {
  const stage = useStage();

  it.each([
    ['without an auth strategy', 'none', 'persistent-session/profile/bot'],
    ['with a userDataDir of its own', 'given', 'auth/given'],
  ] as const)('%s keeps its login', async (_name, auth, profile) => {
    const first = stage.bot({ auth });
    await first.logIn(stage.simulator);
    await first.session.destroy();
    expect(existsSync(join(stage.folder, profile, 'Default/IndexedDB'))).toBe(true);
    const next = stage.bot({ auth });
    await next.session.initialize();
    expect(next.session.state).toBe('ready');
    expect(next.qrCodes).toEqual([]);
  });

  it('that pairs by code resolves initialize() with the code and gets ready', async () => {
    const bot = stage.bot({ client: { pairWithPhoneNumber: { phoneNumber: '4915100000009' } } });
    const code = bot.next('code');
    const ready = bot.next('ready');
    await bot.session.initialize();
    expect(bot.session.state).toBe('awaiting_qr');
    await stage.simulator.enterPairingCode(String(await code));
    await ready;
    expect(bot.session.state).toBe('ready');
  });

  it('that calls client.initialize() and client.destroy() itself is persistent, too', async () => {
    const first = stage.bot();
    const ready = first.next('ready');
    await first.client.initialize();
    await stage.simulator.scan();
    await ready;
    await first.client.destroy();
    expect(first.session.state).toBe('stopped');
    expect(first.payloads('save:completed').at(-1)).toMatchObject({
      snapshot: { capture: 'cold', settled: true },
    });
    const next = stage.bot();
    const again = next.next('ready');
    await next.client.initialize();
    await again;
    expect(next.session.state).toBe('ready');
  });

  it('saves by itself within 10 s of ready, and says when Local Storage is on the disk', async () => {
    const bot = stage.bot();
    await bot.logIn(stage.simulator);
    const settled = await bot.settledSave();
    expect(settled).toMatchObject({ kind: 'save', capture: 'hot', settled: true, revoked: false });
    expect(await bot.session.verify(settled.id)).toMatchObject({ sound: [{ id: settled.id }], corrupt: [] });
    expect(await bot.session.forceSave()).toEqual({ skipped: 'unchanged' });
  });

  it('sends and receives', async () => {
    const bot = stage.bot();
    await bot.logIn(stage.simulator);
    const { chatId } = await bot.session.sendTestMessage('+49 151 0000 0002', 'hello');
    expect(await stage.simulator.waitForSent(({ body }) => body === 'hello')).toMatchObject({ to: chatId });
  });
});

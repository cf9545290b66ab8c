import { describe, expect, it } from 'vitest';
import { BotProcess } from '../support/bot-process.js';
import { useStage } from './setup.js';

describe('a logout', () => {
  const stage = useStage();

  it('by the phone is final; a rescan lasts', async () => {
    const bot = stage.bot();
    await bot.logIn(stage.simulator);
    const first = await bot.settledSave();
    const reasons: unknown[] = [];
    bot.client.on('disconnected', (reason) => reasons.push(reason));
    const revoked = bot.once('session:revoked');
    const qr = bot.next('qr');
    await stage.simulator.logoutFromPhone();
    expect(await revoked).toEqual({ cause: 'phone' });
    await qr;
    expect(reasons).toEqual(['LOGOUT']);
    expect((await bot.session.listSnapshots()).every((snapshot) => snapshot.revoked)).toBe(true);

    const ready = bot.next('ready');
    await stage.simulator.scan();
    await ready;
    await bot.session.destroy();

    const next = stage.bot();
    await next.session.initialize();
    expect(next.session.state).toBe('ready');
    expect(next.qrCodes).toEqual([]);
    expect(next.session.status().lineage).not.toBe(first.lineage);
  });

  it('by the phone is final, too, where the bot ends its process at once', async () => {
    const first = stage.bot();
    await first.logIn(stage.simulator);
    await first.settledSave();
    await first.session.destroy();
    const child = new BotProcess(stage.folder, stage.simulator.port, { exitOnDisconnected: true });
    await child.waitFor('initialized');
    await stage.simulator.logoutFromPhone();
    expect((await child.exit).code).toBe(0);

    const next = stage.bot();
    await next.session.initialize();
    expect(next.session.state).toBe('awaiting_qr');
    expect(next.payloads('restore:started')).toEqual([]);
    expect((await next.session.listSnapshots()).every((snapshot) => snapshot.revoked)).toBe(true);
  });

  it('by the server, met at a start, is final too', async () => {
    const first = stage.bot();
    await first.logIn(stage.simulator);
    await first.session.destroy();
    stage.simulator.revokeAccount();
    stage.simulator.setModes({ rejectLogin: 'logout' });

    const bot = stage.bot();
    const revoked = bot.once('session:revoked');
    await bot.session.initialize();
    expect(await revoked).toEqual({ cause: 'server' });
    expect(bot.session.state).toBe('awaiting_qr');
    expect(bot.payloads('restore:started')).toEqual([]);
  });

  it('by the bot itself revokes and stops; restore(id) is the way back', async () => {
    const bot = stage.bot();
    await bot.logIn(stage.simulator);
    const saved = await bot.settledSave();
    await bot.client.logout();
    expect(bot.session.state).toBe('stopped');
    expect(bot.payloads('session:revoked')).toEqual([{ cause: 'client' }]);
    await bot.session.restore(saved.id);
    expect(bot.payloads('restore:completed')).toMatchObject([
      { reason: 'requested', snapshot: { id: saved.id } },
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { writeFakeProfile } from '../../src/testing/fake-profile.js';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const OLD = '/old/session-x';

const settled = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    ({ code }: { readonly code?: string }) => code ?? 'failed',
  );

describe('calls that replace or delete the login, made one after the other without waiting', () => {
  const stage = useFakeStage();
  let reader: FakeBot;
  const newBot = () => stage().bot({ session: BY_HAND });

  async function prepare(runs: boolean): Promise<FakeBot> {
    await writeFakeProfile(stage().fs, OLD, { ...stage().whatsApp.pair('1@c.us'), note: 'imported' });
    const first = newBot();
    reader = first;
    await first.logIn();
    await stage().clock.advance(100_000);
    await first.save('first');
    if (runs) return first;
    await first.stop();
    return newBot();
  }

  const finish = (bot: FakeBot, calls: readonly Promise<unknown>[]) =>
    bot.finish(Promise.all(calls.map(settled)));

  it.each([true, false])('importSession(), clear(): nothing is left (it runs: %s)', async (runs) => {
    const bot = await prepare(runs);
    await finish(bot, [bot.session.importSession(OLD), bot.session.clear()]);
    expect([bot.state, await bot.session.listSnapshots(), await reader.client.readLogin()]).toEqual([
      'idle',
      [],
      undefined,
    ]);
    const next = newBot();
    await next.start();
    expect([next.state, next.payloads('restore:started')]).toEqual(['awaiting_qr', []]);
  });

  it.each([true, false])('restore(), clear(): nothing is left (it runs: %s)', async (runs) => {
    const bot = await prepare(runs);
    await finish(bot, [bot.session.restore(), bot.session.clear()]);
    expect([bot.state, await bot.session.listSnapshots(), await reader.client.readLogin()]).toEqual([
      'idle',
      [],
      undefined,
    ]);
  });

  it.each([true, false])(
    'importSession(), restore(id): the snapshot is in place (runs: %s)',
    async (runs) => {
      const bot = await prepare(runs);
      const [newest] = await bot.session.listSnapshots();
      await finish(bot, [bot.session.importSession(OLD), bot.session.restore(newest?.id)]);
      expect((await reader.client.readLogin())?.note).toBe('first');
    },
  );

  it.each([true, false])('restore(), importSession(): the import is in place (runs: %s)', async (runs) => {
    const bot = await prepare(runs);
    await finish(bot, [bot.session.restore(), bot.session.importSession(OLD)]);
    expect((await reader.client.readLogin())?.note).toBe('imported');
    expect(bot.state).toBe(runs ? 'ready' : 'idle');
  });

  it.each([true, false])('importSession(), clear(), initialize(): a QR (it ran: %s)', async (runs) => {
    const bot = await prepare(runs);
    const { session } = bot;
    const answers = await finish(bot, [session.importSession(OLD), session.clear(), session.initialize()]);
    expect([answers, bot.state]).toEqual([['ok', 'ok', 'ok'], 'awaiting_qr']);
    expect(await session.listSnapshots()).toEqual([]);
  });

  it.each([true, false])('clear(), importSession(): the import is in place (it ran: %s)', async (runs) => {
    const bot = await prepare(runs);
    await finish(bot, [bot.session.clear(), bot.session.importSession(OLD)]);
    expect((await reader.client.readLogin())?.note).toBe('imported');
  });

  it('a call that fails does not keep the next one waiting', async () => {
    const bot = await prepare(false);
    const calls = [bot.session.importSession('/old/there-is-none'), bot.session.clear()];
    expect(await finish(bot, calls)).toEqual(['CONFIGURATION', 'ok']);
  });
});

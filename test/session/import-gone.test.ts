import { describe, expect, it } from 'vitest';
import { writeFakeProfile } from '../../src/testing/fake-profile.js';
import { ANNA } from '../support/accounts.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';
import { zipOf } from '../support/old-sessions.js';

const BY_HAND = { forceSaveIntervalMs: 0, backupIntervalMs: 0, sessionValidationIntervalMs: 0 };
const AUTH = '/old/.wwebjs_auth';

/** The old folder went with its container, or its owner has deleted it. */
describe('importSession() of what is not there any more', () => {
  const stage = useFakeStage();

  const newBot = (session = {}) => stage().bot({ auth: 'none', session: { ...BY_HAND, ...session } });

  async function takenOver(name: string, from: string): Promise<FakeBot> {
    const path = `${AUTH}/${name.replace(/\.zip$/, '')}`;
    await writeFakeProfile(stage().fs, path, { ...stage().whatsApp.pair(ANNA), note: 'old' });
    if (name.endsWith('.zip')) {
      await stage().fs.promises.writeFile(`${AUTH}/${name}`, await zipOf(stage().fs, path));
      await stage().remove(path);
    }
    const bot = newBot();
    await bot.finish(bot.session.importSession(from));
    await bot.start();
    await bot.save('newer');
    return bot;
  }

  async function attempt(bot: FakeBot, from: string, options?: { force: boolean }): Promise<unknown> {
    return bot.finish(bot.session.importSession(from, options)).catch((error: unknown) => error);
  }

  async function goesOn(bot: FakeBot, from: string): Promise<void> {
    const answer = await bot.finish(bot.session.importSession(from));
    expect(answer).toMatchObject({ clientId: 'shop' });
    expect(bot.payloads('session:imported')).toEqual([]);
    expect(bot.payloads('warning')).toContainEqual({
      code: 'import-skipped',
      message: expect.stringMatching(/already imported.*not there any more.*Remove the call/),
    });
    await bot.start();
    expect(bot.state).toBe('ready');
    expect((await bot.client.readLogin())?.note).toBe('newer');
  }

  it.each([
    ['RemoteAuth-shop', `${AUTH}/RemoteAuth-shop`, '/old'],
    ['RemoteAuth-shop', `${AUTH}/RemoteAuth-shop`, `${AUTH}/RemoteAuth-shop`],
    ['RemoteAuth-shop.zip', `${AUTH}/RemoteAuth-shop.zip`, '/old'],
    ['session-shop', AUTH, '/old'],
    ['session-shop', AUTH, `${AUTH}/session-shop`],
    ['RemoteAuth-shop.zip', AUTH, `${AUTH}/RemoteAuth-shop.zip`],
  ])('goes on with what was made of %s, by %s, without %s', async (name, from, removed) => {
    const first = await takenOver(name, from);
    await first.stop();
    await stage().remove(removed);
    await goesOn(newBot(), from);
  });

  it('goes on where the folder has the sessions of others only', async () => {
    const first = await takenOver('session-shop', AUTH);
    await first.stop();
    await stage().fs.promises.rename(`${AUTH}/session-shop`, `${AUTH}/session-other`);
    await goesOn(newBot(), AUTH);
  });

  it('goes on with the record and the profile lost, too: the stores know', async () => {
    const first = await takenOver('RemoteAuth-shop', `${AUTH}/RemoteAuth-shop`);
    await first.stop();
    await stage().remove('/old');
    await stage().remove('/bot/session/profile');
    await goesOn(newBot(), `${AUTH}/RemoteAuth-shop`);
  });

  it('goes on with the stores lost, and answers with a save of what is here', async () => {
    const first = await takenOver('RemoteAuth-shop', `${AUTH}/RemoteAuth-shop`);
    await first.stop();
    await stage().remove('/old');
    await stage().remove('/bot/session/store');
    await stage().remove('/bot/backup');
    const next = newBot();
    await goesOn(next, `${AUTH}/RemoteAuth-shop`);
    expect(await next.session.listSnapshots()).toMatchObject([{ capture: 'cold' }]);
  });

  it('does not stop a session that runs', async () => {
    const bot = await takenOver('RemoteAuth-shop', `${AUTH}/RemoteAuth-shop`);
    await stage().remove('/old');
    await bot.finish(bot.session.importSession(`${AUTH}/RemoteAuth-shop`));
    expect(bot.client.launches).toBe(1);
    expect(bot.state).toBe('ready');
  });

  it('is an error where it was never taken over', async () => {
    const first = await takenOver('RemoteAuth-shop', `${AUTH}/RemoteAuth-shop`);
    await first.stop();
    await stage().remove('/old');
    for (const from of ['/old/elsewhere/RemoteAuth-shop', `${AUTH}/RemoteAuth-shop-2`]) {
      const next = newBot();
      expect(await attempt(next, from)).toMatchObject({
        code: 'CONFIGURATION',
        message: expect.stringMatching(`there is nothing at '${from}'`),
      });
      expect(next.payloads('warning')).toEqual([]);
    }
  });

  it('is an error for a bot with another client id', async () => {
    const first = await takenOver('RemoteAuth-shop', `${AUTH}/RemoteAuth-shop`);
    await first.stop();
    await stage().remove(`${AUTH}/RemoteAuth-shop`); // the note beside it stays
    const other = newBot({ clientId: 'other' });
    expect(await attempt(other, `${AUTH}/RemoteAuth-shop`)).toMatchObject({ code: 'CONFIGURATION' });
  });

  it('is an error with { force: true }, and after a clear()', async () => {
    const first = await takenOver('RemoteAuth-shop', `${AUTH}/RemoteAuth-shop`);
    await first.stop();
    await stage().remove('/old');
    const forced = newBot();
    expect(await attempt(forced, `${AUTH}/RemoteAuth-shop`, { force: true })).toMatchObject({
      code: 'CONFIGURATION',
    });
    await forced.finish(forced.session.clear());
    expect(await attempt(forced, `${AUTH}/RemoteAuth-shop`)).toMatchObject({ code: 'CONFIGURATION' });
  });
});

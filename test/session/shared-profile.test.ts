import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { ANNA, accountOf, BEN } from '../support/accounts.js';
import type { FakeBot } from '../support/fake-bot.js';
import { type FakeStage, useFakeStage } from '../support/fake-stage.js';

const PROFILE = '/bot/.wwebjs_auth/session';
const PATIENCE = { timeout: 120_000 };

/** A gateway that gives the id only to the session: `new PersistentSession(new Client({ authStrategy: new LocalAuth() }), { clientId })`. */
function botOf(stage: FakeStage, clientId: string | undefined): FakeBot {
  return stage.bot({
    client: { localAuth: { dataPath: '/bot/.wwebjs_auth' } },
    session: { ...(clientId !== undefined && { clientId }), forceSaveIntervalMs: 0, backupIntervalMs: 0 },
  });
}

/** The same id, given to LocalAuth: a profile of its own. */
function ownBotOf(stage: FakeStage, clientId: string): FakeBot {
  return stage.bot({
    client: { localAuth: { dataPath: '/bot/.wwebjs_auth', clientId } },
    session: { forceSaveIntervalMs: 0, backupIntervalMs: 0 },
  });
}

async function saved(bot: FakeBot, account: string): Promise<void> {
  await bot.logIn(account);
  await bot.save('one');
  await bot.backUp('two');
  await bot.stop();
}

const isRefused = (error: { code?: string; message: string }) => {
  assert.equal(error.code, 'CONFIGURATION');
  for (const part of [`'anna'`, `'ben'`, PROFILE, 'LocalAuth', 'importSession']) {
    assert.ok(error.message.includes(part), `${part} is missing in: ${error.message}`);
  }
  return true;
};

describe('two client ids over one profile', PATIENCE, () => {
  const stage = useFakeStage();

  it('the second is refused, and the first goes on', async () => {
    await saved(botOf(stage(), 'anna'), ANNA);
    const ben = botOf(stage(), 'ben');
    await assert.rejects(ben.start(), isRefused);
    await ben.stop();
    const anna = botOf(stage(), 'anna');
    await anna.start();
    assert.equal(anna.state, 'ready');
    assert.equal(accountOf(anna), ANNA);
  });

  it('clear({ logout: true }), restore(), importSession() and prune() of the second are refused, and touch nothing', async () => {
    await saved(botOf(stage(), 'anna'), ANNA);
    const before = await stage().filesBelow('/bot');
    const ben = botOf(stage(), 'ben');
    await assert.rejects(ben.finish(ben.session.clear({ logout: true })), { code: 'INVALID_STATE' });
    await assert.rejects(ben.finish(ben.session.clear()), isRefused);
    await assert.rejects(ben.finish(ben.session.restore()), isRefused);
    await assert.rejects(ben.finish(ben.session.importSession(PROFILE)));
    await assert.rejects(ben.finish(ben.session.prune()), isRefused);
    await ben.stop();
    const left = await stage().filesBelow('/bot');
    assert.deepEqual(
      before.filter((path) => !left.includes(path)),
      [],
    );
    const anna = botOf(stage(), 'anna');
    await anna.start();
    assert.equal(anna.state, 'ready');
  });

  it('also where the second had a login of its own before', async () => {
    await saved(botOf(stage(), 'ben'), BEN);
    await stage().remove('/bot/.wwebjs_auth');
    await saved(botOf(stage(), 'anna'), ANNA);
    const ben = botOf(stage(), 'ben');
    await assert.rejects(ben.start(), isRefused);
  });

  it('also with a login that was never saved', async () => {
    const anna = botOf(stage(), 'anna');
    await anna.logIn(ANNA);
    await anna.stop();
    await stage().remove('/bot/session/store');
    await assert.rejects(botOf(stage(), 'ben').start(), isRefused);
  });

  it('after a redeploy without the profile, the first one to start has it', async () => {
    await saved(botOf(stage(), 'anna'), ANNA);
    await stage().remove('/bot/.wwebjs_auth');
    const anna = botOf(stage(), 'anna');
    await anna.start();
    assert.equal(anna.state, 'ready');
    await anna.stop();
    await assert.rejects(botOf(stage(), 'ben').start(), isRefused);
  });

  it('an id that is left out is refused, too: it may be the mistake of one of them', async () => {
    await saved(botOf(stage(), 'anna'), ANNA);
    await assert.rejects(botOf(stage(), undefined).start(), { code: 'CONFIGURATION' });
  });

  it('the way that the error names works: a profile of its own, and importSession()', async () => {
    await saved(botOf(stage(), 'anna'), ANNA);
    const ben = ownBotOf(stage(), 'ben');
    await ben.finish(ben.session.importSession(PROFILE));
    await ben.start();
    assert.equal(ben.state, 'ready');
    assert.equal(accountOf(ben), ANNA);
  });

  it('a clear() by the first makes room for the second', async () => {
    await saved(botOf(stage(), 'anna'), ANNA);
    const anna = botOf(stage(), 'anna');
    await anna.finish(anna.session.clear());
    await anna.stop();
    const ben = botOf(stage(), 'ben');
    await ben.logIn(BEN);
    assert.equal(accountOf(ben), BEN);
  });

  it('an id that is chosen later keeps the login of a bot that had none', async () => {
    await saved(botOf(stage(), undefined), ANNA);
    const anna = botOf(stage(), 'anna');
    await anna.start();
    assert.equal(anna.state, 'ready');
    await anna.stop();
    await assert.rejects(botOf(stage(), 'ben').start(), isRefused);
  });

  it('a record of an older version is taken over by the first id', async () => {
    await saved(botOf(stage(), 'anna'), ANNA);
    const path = '/bot/.wwebjs_auth/.session.persistent/session.json';
    const { owner, ...older } = JSON.parse(String(await stage().fs.promises.readFile(path)));
    assert.equal(owner.clientId, 'anna');
    await stage().fs.promises.writeFile(path, JSON.stringify(older));
    const anna = botOf(stage(), 'anna');
    await anna.start();
    assert.equal(anna.state, 'ready');
    await anna.stop();
    await assert.rejects(botOf(stage(), 'ben').start(), isRefused);
  });
});

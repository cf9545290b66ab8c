import assert from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import { ANNA, accountOf, BEN } from '../support/accounts.js';
import type { FakeBot, FakeBotOptions } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const BY_HAND = { forceSaveIntervalMs: 0, backupIntervalMs: 0, healthCheckIntervalMs: 0 };

const messages = (bot: FakeBot, wanted: string) =>
  bot.payloads('warning').flatMap(({ code, message }) => (code === wanted ? [message] : []));

describe("a bot's folder that was copied without the profile", () => {
  const stage = useFakeStage();

  const botIn = (folder: string, options: FakeBotOptions = {}) =>
    stage().bot({
      folder,
      session: { ...BY_HAND, backupPath: `${folder}/backup`, sessionPath: `${folder}/session` },
      ...options,
    });

  /** `cp -r bot bot2`, then `rm -rf bot2/auth/session-*`, which leaves the hidden folder. */
  async function copied({ but = [] }: { readonly but?: readonly string[] } = {}): Promise<void> {
    const tree = await stage().copyTree('/bot');
    await tree.putAt('/bot2');
    for (const name of ['auth/session-shop', ...but]) await stage().remove(`/bot2/${name}`);
  }

  async function annaStopped(): Promise<void> {
    const anna = botIn('/bot');
    await anna.logIn(ANNA);
    await anna.backUp('one');
    await anna.stop();
  }

  it('is refused, as long as the original is there, at every start', async () => {
    await annaStopped();
    await copied();
    for (let start = 0; start < 2; start++) {
      await expect(botIn('/bot2').start()).rejects.toMatchObject({
        code: 'CONFIGURATION',
        message: expect.stringMatching(/\/bot\/auth\/session-shop.*restore\('.+'\)/s),
      });
    }
    const anna = botIn('/bot');
    await anna.start();
    assert.deepEqual([anna.state, accountOf(anna)], ['ready', ANNA]);
  });

  it('is refused for the same reason while the original runs: the copied lease is none', async () => {
    const anna = botIn('/bot');
    await anna.logIn(ANNA);
    await anna.backUp('one');
    await copied();
    await expect(botIn('/bot2').start()).rejects.toMatchObject({ code: 'CONFIGURATION' });
    assert.equal(anna.state, 'ready');
  });

  it('is refused, too, where the original has a restored profile by now', async () => {
    await annaStopped();
    await copied();
    await stage().remove('/bot/auth/session-shop');
    const anna = botIn('/bot');
    await anna.start();
    await anna.stop();
    await expect(botIn('/bot2').start()).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });

  it('without the copies, asks for a QR and has a login of its own', async () => {
    await annaStopped();
    await copied({ but: ['session', 'backup'] });
    const ben = botIn('/bot2');
    await ben.logIn(BEN);
    await ben.backUp('one');
    await ben.stop();
    await stage().remove('/bot2/auth/session-shop');
    const again = botIn('/bot2');
    await again.start();
    assert.deepEqual([again.state, accountOf(again)], ['ready', BEN]);
  });

  it('under another client id, asks for a QR and tells of no copy', async () => {
    await annaStopped();
    await copied();
    await stage().fs.promises.rename(
      '/bot2/auth/.session-shop.persistent',
      '/bot2/auth/.session-ben.persistent',
    );
    const ben = botIn('/bot2', { client: { localAuth: { dataPath: '/bot2/auth', clientId: 'ben' } } });
    await ben.start();
    assert.equal(ben.state, 'awaiting_qr');
    assert.deepEqual(messages(ben, 'other-profile'), []);
  });

  it('asked for by its id, the login comes', async () => {
    await annaStopped();
    await copied();
    const copy = botIn('/bot2');
    const [newest] = await copy.session.listSnapshots();
    await expect(copy.start()).rejects.toMatchObject({ code: 'CONFIGURATION' });
    await copy.finish(copy.session.restore(newest?.id));
    const again = botIn('/bot2');
    await again.start();
    assert.deepEqual([again.state, accountOf(again)], ['ready', ANNA]);
  });

  it('a bot that was moved and then lost its profile goes on', async () => {
    await annaStopped();
    await copied();
    await stage().remove('/bot');
    const moved = botIn('/bot2');
    await moved.start();
    assert.deepEqual([moved.state, accountOf(moved)], ['ready', ANNA]);
  });

  it('a bot that was moved goes on, where a new one is in its old place', async () => {
    await annaStopped();
    await copied();
    await stage().remove('/bot');
    const ben = botIn('/bot');
    await ben.logIn(BEN);
    await ben.stop();
    const moved = botIn('/bot2');
    await moved.start();
    assert.deepEqual([moved.state, accountOf(moved)], ['ready', ANNA]);
  });

  it('a profile that was deleted at its own place comes back', async () => {
    await annaStopped();
    await stage().remove('/bot/auth/session-shop');
    const anna = botIn('/bot');
    await anna.start();
    assert.deepEqual([anna.state, accountOf(anna)], ['ready', ANNA]);
  });
});

describe('a profile that was renamed together with its client id', () => {
  const stage = useFakeStage();

  const botOf = (clientId: string) =>
    stage().bot({
      client: { localAuth: { dataPath: '/bot/auth', clientId } },
      session: { ...BY_HAND, sessionPath: '/bot/session', backupPath: '/bot/backup' },
    });

  async function renamed(change: (from: string, to: string) => Promise<void>): Promise<void> {
    const anna = botOf('anna');
    await anna.logIn(ANNA);
    await anna.backUp('one');
    await anna.stop();
    await change('/bot/auth/session-anna', '/bot/auth/session-zoe');
    await change('/bot/auth/.session-anna.persistent', '/bot/auth/.session-zoe.persistent');
  }
  const rename = (from: string, to: string) => stage().fs.promises.rename(from, to);
  const copy = async (from: string, to: string) => (await stage().copyTree(from)).putAt(to);

  async function startZoe(): Promise<readonly string[]> {
    const zoe = botOf('zoe');
    await zoe.start();
    assert.deepEqual([zoe.state, accountOf(zoe)], ['ready', ANNA]);
    await zoe.stop();
    return messages(zoe, 'other-profile');
  }

  it.each(['ready', 'waiting for a scan'])(
    'is no copy of the login that its old id has now (%s)',
    async (how) => {
      await renamed(rename);
      const anna = botOf('anna');
      await anna.start();
      if (how === 'ready') {
        await anna.client.scan(BEN);
        await anna.untilState('ready');
      }
      await anna.stop();
      if (how !== 'ready')
        await stage().fs.promises.mkdir('/bot/auth/session-anna/Default', { recursive: true });
      assert.deepEqual([await startZoe(), await startZoe()], [[], []]);
      // The old id gets its own login back, or a QR, and never the one that was renamed.
      for (const name of ['session-anna', '.session-anna.persistent'])
        await stage().remove(`/bot/auth/${name}`);
      const again = botOf('anna');
      await again.start();
      assert.deepEqual(
        [again.state, accountOf(again)],
        how === 'ready' ? ['ready', BEN] : ['awaiting_qr', undefined],
      );
    },
  );

  it('is a copy as long as its old id has the login, too, and no longer', async () => {
    await renamed(copy);
    for (let start = 0; start < 2; start++) {
      const [told] = await startZoe();
      assert.match(told ?? '', /'zoe' is a copy of the profile of 'anna'/);
    }
    const anna = botOf('anna');
    await anna.finish(anna.session.clear());
    await anna.logIn(BEN);
    await anna.stop();
    assert.deepEqual(await startZoe(), []);
  });
});

describe('a whole bot that was copied, as for a trial, and shares the backups', () => {
  const stage = useFakeStage();

  const botIn = (folder: string) =>
    stage().bot({
      folder,
      session: { ...BY_HAND, sessionPath: `${folder}/session`, backupPath: '/mnt/backup' },
    });

  async function copiedAndStarted(): Promise<FakeBot> {
    const production = botIn('/bot');
    await production.logIn(ANNA);
    await production.backUp('one');
    await production.stop();
    await (await stage().copyTree('/bot')).putAt('/trial');
    const trial = botIn('/trial');
    await trial.start();
    await trial.backUp('two');
    await trial.stop();
    return trial;
  }

  it.each(['/bot/auth/session-shop', '/bot/auth', '/bot'])(
    'leaves the original its login, when that is lost (%s)',
    async (lost) => {
      const trial = await copiedAndStarted();
      assert.match(messages(trial, 'other-profile').join(), /copy of the one at \/bot\/auth\/session-shop/);
      await stage().remove(lost);
      const production = botIn('/bot');
      await production.start();
      assert.deepEqual([production.state, accountOf(production)], ['ready', ANNA]);
    },
  );

  it('gets its own login back, and is told once', async () => {
    await copiedAndStarted();
    await stage().remove('/trial/auth');
    const trial = botIn('/trial');
    await trial.start();
    assert.deepEqual([trial.state, accountOf(trial)], ['ready', ANNA]);
    assert.deepEqual(messages(trial, 'other-profile'), []);
  });

  it('that was moved goes on with its login', async () => {
    const production = botIn('/bot');
    await production.logIn(ANNA);
    const { lineage } = await production.backUp('one');
    await production.stop();
    await (await stage().copyTree('/bot')).putAt('/moved');
    await stage().remove('/bot');
    const moved = botIn('/moved');
    await moved.start();
    assert.equal((await moved.backUp('two')).lineage, lineage);
    assert.deepEqual(messages(moved, 'other-profile'), []);
  });
});

describe('a whole bot that was copied, and whose copy is to pair another phone', () => {
  const stage = useFakeStage();

  const botIn = (folder: string, backupPath = `${folder}/backup`) =>
    stage().bot({ folder, session: { ...BY_HAND, sessionPath: `${folder}/session`, backupPath } });

  it.each([
    ['its own backups', '/bot/backup', '/bot2/backup', 'started once'],
    ['its own backups', '/bot/backup', '/bot2/backup', 'never started'],
    ['the same backups', '/mnt/backup', '/mnt/backup', 'started once'],
  ])('with %s: after clear() it asks for a QR, and the original keeps its login', async (...given) => {
    const [, backups, backupsOfCopy, how] = given;
    const anna = botIn('/bot', backups);
    await anna.logIn(ANNA);
    await anna.save('one');
    await anna.backUp('two');
    await anna.stop();
    await (await stage().copyTree('/bot')).putAt('/bot2');
    const copy = botIn('/bot2', backupsOfCopy);
    if (how === 'started once') await copy.start();
    await copy.finish(copy.session.clear());
    const left = (await copy.session.listSnapshots()).map(({ id }) => id);
    for (let start = 0; start < 2; start++) {
      const next = botIn('/bot2', backupsOfCopy);
      await next.start();
      assert.deepEqual([next.state, next.payloads('restore:started')], ['awaiting_qr', []]);
      assert.deepEqual(
        (await next.session.listSnapshots()).map(({ id }) => id),
        left,
      );
      await next.stop();
    }
    const ben = botIn('/bot2', backupsOfCopy);
    await ben.logIn(BEN);
    await ben.backUp('mine');
    await ben.stop();
    for (const lost of ['/bot', '/bot2']) await stage().remove(`${lost}/auth`);
    const [annaAgain, benAgain] = [botIn('/bot', backups), botIn('/bot2', backupsOfCopy)];
    await benAgain.start();
    assert.deepEqual([benAgain.state, accountOf(benAgain)], ['ready', BEN]);
    await annaAgain.start();
    assert.deepEqual([annaAgain.state, accountOf(annaAgain)], ['ready', ANNA]);
  });
});

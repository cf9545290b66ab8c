import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { ANNA, accountOf, BEN } from '../support/accounts.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';
import { marksIn } from '../support/marks-in.js';

const BY_HAND = { forceSaveIntervalMs: 0, backupIntervalMs: 0, healthCheckIntervalMs: 0 };
const MINUTE_MS = 60_000;

const twoPlaces = (bot: FakeBot) =>
  bot.payloads('warning').flatMap(({ code, message }) => (code === 'login-in-two-places' ? [message] : []));

describe('a staging bot that imports a copy of a profile that is in use, and shares its backups', () => {
  const stage = useFakeStage();
  let bucket: MemoryStore;

  const botOf = (folder: string, clientId: string) =>
    stage().bot({
      client: { localAuth: { dataPath: `${folder}/auth`, clientId } },
      session: { ...BY_HAND, sessionPath: `${folder}/session`, backupStore: bucket },
    });
  const production = () => botOf('/prod', 'anna');
  const staging = () => botOf('/staging', 'anna-staging');

  /** Anna's bot runs; a copy of its profile is imported under another client id. */
  async function imported(): Promise<{ anna: FakeBot; copy: FakeBot }> {
    bucket = new MemoryStore({ clock: stage().clock, name: 'bucket' });
    const anna = production();
    await anna.logIn(ANNA);
    await stage().clock.advance(100_000);
    await anna.save('one');
    await anna.backUp('two');
    for (const name of ['session-anna', '.session-anna.persistent']) {
      const tree = await stage().copyTree(`/prod/auth/${name}`);
      await tree.putAt(`/staging/incoming/${name}`);
    }
    await stage().remove('/staging/incoming/session-anna/SingletonLock');
    const copy = staging();
    await copy.finish(copy.session.importSession('/staging/incoming/session-anna'));
    await stage().clock.advance(MINUTE_MS);
    return { anna, copy };
  }

  async function isRestoredAfterLoss(anna: FakeBot): Promise<void> {
    anna.client.pupBrowser?.kill();
    await anna.stop();
    await stage().remove('/prod');
    const again = production();
    await again.start();
    assert.deepEqual([again.state, accountOf(again)], ['ready', ANNA]);
  }

  it('it comes back after its disk was lost, once it was backed up again, and was told', async () => {
    const { anna } = await imported();
    await anna.backUp('three');
    assert.match(twoPlaces(anna).join(), /'anna-staging'/);
    await isRestoredAfterLoss(anna);
  });

  it('it comes back, if it was started again and not backed up since, and was told', async () => {
    const { anna } = await imported();
    await anna.stop();
    await stage().remove('/prod/session');
    const again = production();
    await again.start();
    assert.match(twoPlaces(again).join(), /'anna-staging'/);
    await stage().clock.advance(MINUTE_MS);
    await isRestoredAfterLoss(again);
  });

  it('it comes back from its saves, which tell that it went on, and was told', async () => {
    const { anna } = await imported();
    await anna.save('three');
    anna.client.pupBrowser?.kill();
    await anna.stop();
    await stage().remove('/prod/auth');
    const again = production();
    await again.start();
    assert.deepEqual([again.state, accountOf(again)], ['ready', ANNA]);
    assert.match(twoPlaces(again).join(), /'anna-staging'/);
    await stage().clock.advance(MINUTE_MS);
    await isRestoredAfterLoss(again);
  });

  it('it comes back, although the staging bot goes on', async () => {
    const { anna, copy } = await imported();
    await anna.backUp('three');
    anna.client.pupBrowser?.kill();
    await copy.start();
    await stage().clock.advance(MINUTE_MS);
    await copy.save('one');
    await copy.stop();
    await isRestoredAfterLoss(anna);
  });

  it('it comes back, if it was killed before it could end the hold', async () => {
    const { anna } = await imported();
    const { lineage, createdAt } = await anna.backUp('three');
    anna.client.pupBrowser?.kill();
    await anna.stop();
    const at = new Date(Date.parse(createdAt) - 1000).toISOString();
    await marksIn(bucket, 'anna').hold(lineage, { cause: 'moved', at, by: 'anna-staging' });
    await isRestoredAfterLoss(anna);
  });

  it('the staging bot is told at its next start', async () => {
    const { anna, copy } = await imported();
    await anna.backUp('three');
    await copy.start();
    assert.match(twoPlaces(copy).join(), /'anna'/);
  });

  it('it is told once', async () => {
    const { anna } = await imported();
    await anna.backUp('three');
    await anna.backUp('four');
    await anna.save('five');
    assert.equal(twoPlaces(anna).length, 1);
  });

  it('where it has ended, and does not go on, its id does not get the login', async () => {
    const { anna, copy } = await imported();
    await anna.stop();
    await stage().clock.advance(MINUTE_MS);
    await copy.start();
    assert.deepEqual(twoPlaces(copy), []);
    await copy.stop();
    await stage().remove('/prod');
    const again = production();
    await again.start();
    assert.equal(again.state, 'awaiting_qr');
    await again.client.scan(BEN);
    await again.untilState('ready');
    assert.equal(accountOf(again), BEN);
  });
});

describe('an import under another client id that is undone by clear()', () => {
  const stage = useFakeStage();

  const botOf = (clientId: string) =>
    stage().bot({
      client: { localAuth: { dataPath: '/bot/auth', clientId } },
      session: { ...BY_HAND, sessionPath: '/bot/session', backupPath: '/mnt/backup' },
    });

  async function annaStopped(): Promise<void> {
    const anna = botOf('anna');
    await anna.logIn(ANNA);
    await anna.backUp('one');
    await anna.stop();
    await stage().clock.advance(MINUTE_MS);
  }

  async function startAnna(): Promise<FakeBot> {
    await stage().remove('/bot/auth');
    const anna = botOf('anna');
    await anna.start();
    return anna;
  }

  it.each(['at once', 'after it was ready', 'after a restart'])(
    'goes on with the old id, also once its disk is lost (%s)',
    async (when) => {
      await annaStopped();
      const shop = botOf('shop');
      await shop.finish(shop.session.importSession('/bot/auth/session-anna'));
      if (when === 'after it was ready') await shop.start();
      if (when === 'after a restart') await shop.stop();
      await shop.finish(shop.session.clear());
      const anna = await startAnna();
      assert.deepEqual([anna.state, accountOf(anna)], ['ready', ANNA]);
    },
  );

  it('which unlinked the device: the old id asks for a QR', async () => {
    await annaStopped();
    const shop = botOf('shop');
    await shop.finish(shop.session.importSession('/bot/auth/session-anna'));
    await shop.start();
    await shop.finish(shop.session.clear({ logout: true }));
    const anna = await startAnna();
    assert.equal(anna.state, 'awaiting_qr');
    assert.ok(anna.warnings.includes('profile-removed'), anna.warnings.join());
  });

  it('which had its folder renamed: that login is gone, and the old id asks for a QR', async () => {
    await annaStopped();
    for (const [from, to] of [
      ['session-anna', 'session-shop'],
      ['.session-anna.persistent', '.session-shop.persistent'],
    ] as const) {
      await stage().fs.promises.rename(`/bot/auth/${from}`, `/bot/auth/${to}`);
    }
    const shop = botOf('shop');
    await shop.start();
    await shop.finish(shop.session.clear());
    const anna = await startAnna();
    assert.equal(anna.state, 'awaiting_qr');
  });
});

import assert from 'node:assert/strict';
import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { sleep } from '../../src/clock.js';
import type { PersistentSessionOptions } from '../../src/index.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { ANNA, accountOf, BEN } from '../support/accounts.js';
import type { FakeBot } from '../support/fake-bot.js';
import { type FakeStage, useFakeStage } from '../support/fake-stage.js';

const PATIENCE = { timeout: 120_000 };
const BY_HAND = { forceSaveIntervalMs: 0, backupIntervalMs: 0 };

function botOf(
  stage: FakeStage,
  clientId: string,
  folder = '/bot',
  session: PersistentSessionOptions = {},
): FakeBot {
  return stage.bot({
    client: { localAuth: { dataPath: `${folder}/auth`, clientId } },
    session: { ...BY_HAND, sessionPath: `${folder}/session`, backupPath: '/mnt/backup', ...session },
  });
}

/** Anna's login under the id `anna`, saved and backed up, and stopped. */
async function annaStopped(stage: FakeStage): Promise<void> {
  const anna = botOf(stage, 'anna');
  await anna.logIn(ANNA);
  await anna.save('one');
  await anna.backUp('two');
  await anna.stop();
}

async function rename(stage: FakeStage, folder = '/bot'): Promise<void> {
  await stage.fs.promises.rename(`${folder}/auth/session-anna`, `${folder}/auth/session-shop`);
  await stage.fs.promises.rename(
    `${folder}/auth/.session-anna.persistent`,
    `${folder}/auth/.session-shop.persistent`,
  );
}

async function isReadyAsAnna(bot: FakeBot): Promise<void> {
  await bot.start();
  assert.equal(bot.state, 'ready');
  assert.equal(accountOf(bot), ANNA);
}

/** A new customer registers the id: the old login must not come back, and a person can still bring it back. */
async function isFree(anna: FakeBot): Promise<void> {
  await anna.start();
  assert.equal(anna.state, 'awaiting_qr');
  assert.ok(anna.warnings.includes('profile-removed'), anna.warnings.join());
  await anna.client.scan(BEN);
  await anna.untilState('ready');
  assert.equal(accountOf(anna), BEN);
}

describe('a login that lives under another client id by now', PATIENCE, () => {
  const stage = useFakeStage();

  it('its folder was renamed: the old id does not get it', async () => {
    await annaStopped(stage());
    await rename(stage());
    const shop = botOf(stage(), 'shop');
    await isReadyAsAnna(shop);
    await isFree(botOf(stage(), 'anna'));
    assert.equal(shop.state, 'ready');
  });

  it('it was moved in by importSession(), and the old folder deleted: the old id does not get it', async () => {
    await annaStopped(stage());
    const shop = botOf(stage(), 'shop');
    await shop.finish(shop.session.importSession('/bot/auth/session-anna'));
    await isReadyAsAnna(shop);
    await stage().remove('/bot/auth/session-anna');
    await isFree(botOf(stage(), 'anna'));
  });

  it('also if its record had been lost before', async () => {
    await annaStopped(stage());
    await stage().remove('/bot/auth/.session-anna.persistent');
    const shop = botOf(stage(), 'shop');
    await shop.finish(shop.session.importSession('/bot/auth/session-anna'));
    await stage().remove('/bot/auth/session-anna');
    await isFree(botOf(stage(), 'anna'));
  });

  it('also from the backup of the old id', async () => {
    await annaStopped(stage());
    const [zip = ''] = (await stage().filesBelow('/mnt/backup')).filter((path) => path.endsWith('.zip'));
    const shop = botOf(stage(), 'shop');
    await shop.finish(shop.session.importSession(zip));
    await isReadyAsAnna(shop);
    await stage().remove('/bot/auth/session-anna');
    await stage().remove('/bot/auth/.session-anna.persistent');
    await isFree(botOf(stage(), 'anna'));
  });

  it('the whole bot was moved and renamed', async () => {
    await annaStopped(stage());
    await stage().fs.promises.rename('/bot', '/new');
    await rename(stage(), '/new');
    const shop = botOf(stage(), 'shop', '/new');
    await isReadyAsAnna(shop);
    await isFree(botOf(stage(), 'anna'));
  });

  it('restore() under the old id is the way back of a person', async () => {
    await annaStopped(stage());
    await rename(stage());
    const shop = botOf(stage(), 'shop');
    await isReadyAsAnna(shop);
    await shop.stop();
    const anna = botOf(stage(), 'anna');
    await anna.finish(anna.session.restore());
    await isReadyAsAnna(anna);
    await anna.stop();
    await stage().remove('/bot/auth/session-anna');
    await stage().remove('/bot/auth/.session-anna.persistent');
    await isReadyAsAnna(botOf(stage(), 'anna'));
  });

  it('renamed back, it is the login of the old id again', async () => {
    await annaStopped(stage());
    await rename(stage());
    const shop = botOf(stage(), 'shop');
    await isReadyAsAnna(shop);
    await shop.stop();
    await stage().fs.promises.rename('/bot/auth/session-shop', '/bot/auth/session-anna');
    await stage().fs.promises.rename(
      '/bot/auth/.session-shop.persistent',
      '/bot/auth/.session-anna.persistent',
    );
    const anna = botOf(stage(), 'anna');
    await isReadyAsAnna(anna);
    await anna.stop();
    await stage().remove('/bot/auth');
    await isReadyAsAnna(botOf(stage(), 'anna'));
  });

  it('a store that is down at the rename is marked at the next start', async () => {
    const backupStore = new MemoryStore({ name: 'remote' });
    const botWith = (clientId: string) => botOf(stage(), clientId, '/bot', { backupStore });
    const anna = botWith('anna');
    await anna.logIn(ANNA);
    await anna.backUp('one');
    await anna.stop();
    await stage().remove('/bot/session/store');
    await rename(stage());
    const list = backupStore.list.bind(backupStore);
    backupStore.list = () => {
      throw new Error('down');
    };
    const shop = botWith('shop');
    await isReadyAsAnna(shop);
    await shop.stop();
    assert.ok(shop.warnings.includes('revocation-incomplete'), shop.warnings.join());
    backupStore.list = list;
    await isReadyAsAnna(botWith('shop'));
    await isFree(botWith('anna'));
  });

  it('a copy whose original is still there leaves the copies of the original alone', async () => {
    await annaStopped(stage());
    await (await stage().copyTree('/bot/auth/session-anna')).putAt('/bot/auth/session-shop');
    await (await stage().copyTree('/bot/auth/.session-anna.persistent')).putAt(
      '/bot/auth/.session-shop.persistent',
    );
    const shop = botOf(stage(), 'shop');
    await shop.start();
    assert.ok(shop.warnings.includes('other-profile'), shop.warnings.join());
    const held = (await botOf(stage(), 'anna').session.listSnapshots()).filter((info) => info.held === true);
    assert.deepEqual(held, []);
  });
});

describe('a profile that was renamed', PATIENCE, () => {
  const stage = useFakeStage();
  const move = (from: string, to: string) =>
    stage().fs.promises.rename(`/bot/auth/${from}`, `/bot/auth/${to}`);
  const moveBoth = async (from: string, to: string) => {
    await move(`session-${from}`, `session-${to}`);
    await move(`.session-${from}.persistent`, `.session-${to}.persistent`);
  };

  /** Anna's login under `anna`, and a later one, Ben's, under `shop`, both saved and stopped. */
  async function annaAndBen(): Promise<void> {
    await annaStopped(stage());
    await stage().clock.advance(60_000);
    const ben = botOf(stage(), 'shop');
    await ben.logIn(BEN);
    await ben.save('one');
    await ben.backUp('two');
    await ben.stop();
  }

  it.each(['is saved', 'is killed before its first save'])(
    'onto an id that had a later login, which is gone: it stays, and comes back; it %s',
    async (what) => {
      await annaAndBen();
      await stage().remove('/bot/auth/session-shop');
      await stage().remove('/bot/auth/.session-shop.persistent');
      await moveBoth('anna', 'shop');
      const shop = botOf(stage(), 'shop');
      await isReadyAsAnna(shop);
      await shop.until('the run', () => shop.session.status().run > 0);
      if (what === 'is saved') await shop.save('later');
      else shop.client.pupBrowser?.kill();
      await shop.stop();
      await isReadyAsAnna(botOf(stage(), 'shop'));
    },
  );

  it('together with another one, whose id it takes: each stays with its account', async () => {
    await annaAndBen();
    await moveBoth('anna', 'tmp');
    await moveBoth('shop', 'anna');
    await moveBoth('tmp', 'shop');
    const shop = botOf(stage(), 'shop');
    await isReadyAsAnna(shop);
    const anna = botOf(stage(), 'anna');
    await anna.start();
    assert.deepEqual([anna.state, accountOf(anna)], ['ready', BEN]);
  });

  it.each(['before', 'after'])(
    'the old id is started %s the new one: it does not get the login',
    async (when) => {
      await annaStopped(stage());
      await moveBoth('anna', 'shop');
      const shop = botOf(stage(), 'shop');
      if (when === 'after') await isReadyAsAnna(shop);
      await isFree(botOf(stage(), 'anna'));
      if (when === 'before') await isReadyAsAnna(shop);
    },
  );

  it('before the stores could be told: the old id does not get the login', async () => {
    const backupStore = new MemoryStore({ name: 'remote' });
    const botWith = (clientId: string) => botOf(stage(), clientId, '/bot', { backupStore });
    const anna = botWith('anna');
    await anna.logIn(ANNA);
    await anna.backUp('one');
    await anna.stop();
    await stage().remove('/bot/session/store');
    await moveBoth('anna', 'shop');
    backupStore.setDown(true);
    const shop = botWith('shop');
    await isReadyAsAnna(shop);
    backupStore.setDown(false);
    await isFree(botWith('anna'));
  });

  it.each(['before', 'after'])(
    'without what lies beside it, and the old id is started %s the new one: it does not get the login',
    async (when) => {
      await annaStopped(stage());
      await move('session-anna', 'session-shop');
      const shop = botOf(stage(), 'shop');
      if (when === 'after') await isReadyAsAnna(shop);
      await isFree(botOf(stage(), 'anna'));
      if (when === 'before') await isReadyAsAnna(shop);
    },
  );

  it('is no copy: where a copy lies beside a profile that is lost, the login comes back', async () => {
    await annaStopped(stage());
    await (await stage().copyTree('/bot/auth/session-anna')).putAt('/bot/auth/session-copy');
    await (await stage().copyTree('/bot/auth/.session-anna.persistent')).putAt(
      '/bot/auth/.session-copy.persistent',
    );
    await stage().remove('/bot/auth/session-anna');
    await isReadyAsAnna(botOf(stage(), 'anna'));
  });

  it('with the folder around it, and the old name is registered anew first: it does not get the login', async () => {
    const botIn = (customer: string) =>
      stage().bot({
        client: { localAuth: { dataPath: `/bot/sessions/${customer}` } },
        session: { ...BY_HAND, sessionPath: '/bot/session', backupPath: '/mnt/backup' },
      });
    const anna = botIn('anna');
    await anna.logIn(ANNA);
    await anna.save('one');
    await anna.stop();
    await stage().fs.promises.rename('/bot/sessions/anna', '/bot/sessions/shop');
    const customer = botIn('anna');
    await customer.start();
    assert.equal(customer.state, 'awaiting_qr');
    await isReadyAsAnna(botIn('shop'));
  });

  it('is no profile that began with a copy of what lies beside it: the original comes back when it is lost', async () => {
    await annaStopped(stage());
    await (await stage().copyTree('/bot/auth/.session-anna.persistent')).putAt(
      '/bot/auth/.session-shop.persistent',
    );
    const ben = botOf(stage(), 'shop');
    await ben.start();
    await ben.client.scan(BEN);
    await ben.untilState('ready');
    await ben.save('one');
    await ben.stop();
    const anna = botOf(stage(), 'anna');
    await isReadyAsAnna(anna);
    await anna.stop();
    const again = botOf(stage(), 'shop');
    await again.start();
    assert.equal(accountOf(again), BEN);
    assert.ok(!again.warnings.includes('other-profile'), again.warnings.join());
    await again.stop();
    await stage().remove('/bot/auth/session-anna');
    await isReadyAsAnna(botOf(stage(), 'anna'));
  });

  /** Lets `stat` say something else of a profile. */
  function disguise(profileDir: string, is: Partial<Stats>): void {
    const { promises } = stage().fs;
    const stat = promises.stat.bind(promises) as (path: string, ...more: unknown[]) => Promise<Stats>;
    const disguised = async (path: string, ...more: unknown[]) => {
      const stats = await stat(path, ...more);
      if (path === join(profileDir, 'Default')) {
        for (const [name, value] of Object.entries(is)) Object.defineProperty(stats, name, { value });
      }
      return stats;
    };
    Object.assign(promises, { stat: disguised });
  }

  it('is no new one that got the inode of a lost one, where a file system knows no time of birth', async () => {
    disguise('/bot/auth/session-anna', { birthtimeMs: 0 });
    await annaStopped(stage());
    const { ino } = await stage().fs.promises.stat('/bot/auth/session-anna/Default');
    disguise('/bot/auth/session-shop', { birthtimeMs: 0, ino });
    await stage().remove('/bot/auth/session-anna');
    const ben = botOf(stage(), 'shop');
    await ben.logIn(BEN);
    await ben.save('one');
    await ben.stop();
    await isReadyAsAnna(botOf(stage(), 'anna'));
  });

  it('is no snapshot that the file system has of it, which has its inode on another device', async () => {
    await annaStopped(stage());
    const { ino, birthtimeMs } = await stage().fs.promises.stat('/bot/auth/session-anna/Default');
    await (await stage().copyTree('/bot/auth/session-anna')).putAt('/bot/auth/session-anna.night');
    await stage().remove('/bot/auth/session-anna');
    disguise('/bot/auth/session-anna.night', { ino, birthtimeMs, dev: 77 });
    await isReadyAsAnna(botOf(stage(), 'anna'));
  });

  it.each(['.old', '.2026-11-23', '~', ' (copy)'])(
    'is no login of another id where nobody can have that name: put aside as *%s, copied back and lost, it comes back',
    async (suffix) => {
      await annaStopped(stage());
      await move('session-anna', `session-anna${suffix}`);
      await (await stage().copyTree(`/bot/auth/session-anna${suffix}`)).putAt('/bot/auth/session-anna');
      await stage().remove('/bot/auth/session-anna');
      const anna = botOf(stage(), 'anna');
      await isReadyAsAnna(anna);
      assert.ok(!anna.warnings.includes('profile-removed'), anna.warnings.join());
    },
  );

  it('with what lies beside it, put aside and copied back as a whole, comes back when that copy is lost', async () => {
    await annaStopped(stage());
    await moveBoth('anna', 'anna.old');
    for (const name of ['session-anna', '.session-anna.persistent']) {
      const from = name.replace('anna', 'anna.old');
      await (await stage().copyTree(`/bot/auth/${from}`)).putAt(`/bot/auth/${name}`);
    }
    await stage().remove('/bot/auth/session-anna');
    await isReadyAsAnna(botOf(stage(), 'anna'));
  });

  it.each(['session-anna-old', 'session-anna_2', 'session-ann', 'anna.smith'])(
    'onto a name that another bot may have, %s: it does not get the login',
    async (name) => {
      await annaStopped(stage());
      await move('session-anna', name);
      await isFree(botOf(stage(), 'anna'));
    },
  );

  it('in a folder of the user: any name may be that of another bot there', async () => {
    const botIn = (userDataDir: string) =>
      stage().bot({
        auth: 'none',
        client: { puppeteer: { userDataDir } },
        session: { ...BY_HAND, clientId: 'anna', sessionPath: '/bot/session', backupPath: '/mnt/backup' },
      });
    const anna = botIn('/bot/people/anna');
    await anna.logIn(ANNA);
    await anna.save('one');
    await anna.stop();
    await stage().fs.promises.rename('/bot/people/anna', '/bot/people/anna.smith');
    await isFree(botIn('/bot/people/anna'));
  });

  it('is no copy that was started once: the original comes back when it is lost', async () => {
    await annaStopped(stage());
    await (await stage().copyTree('/bot/auth/session-anna')).putAt('/bot/auth/session-shop');
    await (await stage().copyTree('/bot/auth/.session-anna.persistent')).putAt(
      '/bot/auth/.session-shop.persistent',
    );
    const copy = botOf(stage(), 'shop');
    await isReadyAsAnna(copy);
    assert.ok(copy.warnings.includes('other-profile'), copy.warnings.join());
    await copy.stop();
    await stage().remove('/bot/auth/session-anna');
    await isReadyAsAnna(botOf(stage(), 'anna'));
  });

  it('is looked for during a few seconds only, where a disk is slow and has many profiles', async () => {
    await annaStopped(stage());
    const { clock, fs } = stage();
    for (let account = 0; account < 50; account++) {
      await fs.promises.mkdir(`/bot/auth/session-${account}/Default`, { recursive: true });
    }
    await stage().remove('/bot/auth/session-anna');
    const looked = new Set<string>();
    const stat = fs.promises.stat.bind(fs.promises) as (path: string, ...more: unknown[]) => Promise<Stats>;
    const slow = async (path: string, ...more: unknown[]) => {
      if (/session-\d+.Default$/.test(path)) {
        looked.add(path);
        await sleep(clock, 1_000);
      }
      return stat(path, ...more);
    };
    Object.assign(fs.promises, { stat: slow });
    await isReadyAsAnna(botOf(stage(), 'anna'));
    assert.ok(looked.size > 0 && looked.size < 10, `${looked.size} profiles were looked at`);
  });
});

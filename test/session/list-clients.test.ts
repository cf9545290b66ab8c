import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/errors.js';
import { type ListClientsOptions, listClients, type StoredClient } from '../../src/index.js';
import { silentLogger } from '../../src/logger.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

async function all(options: ListClientsOptions): Promise<readonly StoredClient[]> {
  const clients: StoredClient[] = [];
  for await (const client of listClients(options)) clients.push(client);
  return clients;
}

describe('listClients()', () => {
  const stage = useFakeStage();
  const options = () => ({
    sessionPath: '/bot/session',
    backupPath: '/bot/backup',
    fs: stage().fs,
    clock: stage().clock,
  });

  /** An account that logged in, was saved and backed up, and stopped. */
  async function account(clientId: string) {
    const bot = stage().bot({
      auth: 'none',
      client: { localAuth: { dataPath: '/bot/auth', clientId } },
      session: { ...BY_HAND, clientId },
    });
    await bot.logIn();
    const backup = await bot.backUp('backed up');
    await bot.stop();
    return { bot, backup };
  }

  it('finds every account after a redeploy that took the profiles', async () => {
    await account('bakery');
    await account('shop');
    await stage().remove('/bot/auth');
    const clients = await all(options());
    expect(clients.map(({ clientId }) => clientId)).toEqual(['bakery', 'shop']);
    for (const { clientId, newest, revoked, stores, storedBytes } of clients) {
      expect(newest).toMatchObject({ clientId, revoked: false });
      expect(revoked).toBe(false);
      expect(stores.map(({ store, kind }) => [store, kind])).toEqual([
        ['file-system', 'save'],
        ['backup-dir', 'backup'],
      ]);
      expect(storedBytes).toBe(stores.reduce((sum, one) => sum + one.storedBytes, 0));
      expect(Math.min(...stores.map((one) => one.storedBytes))).toBeGreaterThan(0);
    }
  });

  it('tells the newest snapshot of all stores, and one whose login was logged out', async () => {
    const { bot } = await account('shop');
    await bot.start();
    const newest = await bot.save('newer');
    expect((await all(options())).map((client) => client.newest?.id)).toEqual([newest.id]);
    await bot.finish(bot.client.logout());
    expect(await all(options())).toMatchObject([{ clientId: 'shop', revoked: true }]);
  });

  it('lists an account that only one of the stores has, and no folder that is none', async () => {
    await account('shop');
    await stage().remove('/bot/session/store/shop');
    await stage().fs.promises.mkdir('/bot/backup/not a client', { recursive: true });
    await stage().fs.promises.writeFile('/bot/backup/not a client/readme.zip', 'x');
    expect(await all(options())).toMatchObject([{ clientId: 'shop', stores: [{ kind: 'backup' }] }]);
  });

  it('lists one whose snapshots can not be read, without a newest', async () => {
    await account('shop');
    for (const path of await stage().filesBelow('/bot')) {
      if (/snapshots\/.*\.json$|\.zip$/.test(path)) await stage().fs.promises.writeFile(path, 'rot');
    }
    const [client] = await all(options());
    expect(client).toMatchObject({ clientId: 'shop', revoked: false });
    expect(client).not.toHaveProperty('newest');
  });

  it('takes stores of the bot, and finds nothing where there is nothing', async () => {
    const store = new MemoryStore();
    const bot = stage().bot({ session: { ...BY_HAND, store, backupStore: new MemoryStore() } });
    expect(await all({ ...options(), store, backupStore: new MemoryStore() })).toEqual([]);
    await bot.logIn();
    await bot.save('to memory');
    expect(await all({ ...options(), store, backupStore: new MemoryStore() })).toMatchObject([
      { clientId: 'shop', stores: [{ store: store.name, kind: 'save' }] },
    ]);
  });

  it('is what a gateway starts again; one that it removes is listed no more', async () => {
    await account('bakery');
    await account('shop');
    const started = [];
    for (const { clientId } of await all(options())) {
      const bot = stage().bot({
        auth: 'none',
        client: { localAuth: { dataPath: '/bot/auth', clientId } },
        session: { ...BY_HAND, clientId },
      });
      await bot.start();
      started.push(bot);
    }
    expect(started.map(({ state }) => state)).toEqual(['ready', 'ready']);
    const [bakery] = started;
    await bakery?.finish(bakery.session.clear({ logout: true }));
    await bakery?.stop();
    expect((await all(options())).map(({ clientId }) => clientId)).toEqual(['shop']);
  });

  it('lists a client whose files may not be read, tells why, and goes on with the others', async () => {
    await account('bakery');
    await account('shop');
    stage().fs.arm({
      failOn: 1,
      times: Number.POSITIVE_INFINITY,
      errno: 'EACCES',
      operation: 'open',
      path: '/bakery/',
    });
    const logged: string[] = [];
    const warn = (message: string, fields?: object) => logged.push(`${message} ${JSON.stringify(fields)}`);
    const logger = { ...silentLogger, warn };
    const clients = await all({ ...options(), logger });
    expect(clients.map(({ clientId }) => clientId)).toEqual(['bakery', 'shop']);
    expect(clients[0]).not.toHaveProperty('newest');
    expect(clients[0]?.storedBytes).toBeGreaterThan(0);
    expect(clients[1]?.newest).toBeDefined();
    const reasons = logged.filter((line) => line.includes('bakery') && line.includes('EACCES'));
    expect(reasons.some((line) => line.includes("can't be read"))).toBe(true);
  });

  it('throws where the disk of a store fails while the files of a client are read', async () => {
    await account('shop');
    stage().fs.arm({ failOn: 1, times: Number.POSITIVE_INFINITY, operation: 'open', path: '/shop/' });
    await expect(stage().bot().finish(all(options()))).rejects.toMatchObject({ code: 'STORE' });
  });

  it('throws where a store is down: it never looks like one without clients', async () => {
    const store = new MemoryStore();
    store.list = () => {
      throw new Error('connect ECONNREFUSED');
    };
    await expect(all({ ...options(), store })).rejects.toMatchObject({
      code: 'STORE',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('throws where a store hangs, after a minute', async () => {
    const store = new MemoryStore();
    store.list = async function* () {
      await new Promise(() => undefined);
    };
    const bot = stage().bot();
    await expect(bot.finish(all({ ...options(), store }))).rejects.toMatchObject({ code: 'STORE' });
  });

  it.each(['logged out by the phone', 'removed'])(
    'tells of the login that restore(id) has put in place of a later one, which was %s',
    async (how) => {
      const remove = async (bot: FakeBot) => {
        await bot.finish(bot.client.destroy());
        await stage().remove(bot.client.profileDir);
        await stage().clock.advance(3_000);
        await bot.until('the look after the removal', () => true);
      };
      const anna = stage().bot({ session: BY_HAND });
      await anna.logIn();
      const kept = await anna.backUp('of Anna');
      await remove(anna);
      const ben = stage().bot({ session: BY_HAND });
      await ben.logIn('4915100000002@c.us');
      await ben.backUp('of Ben');
      if (how === 'removed') await remove(ben);
      else {
        await ben.client.logOutByPhone();
        await ben.untilState('awaiting_qr');
        await ben.stop();
      }
      const operator = stage().bot({ session: BY_HAND });
      await operator.finish(operator.session.restore(kept.id));
      await operator.stop();
      const [client] = await all(options());
      expect(client).toMatchObject({ newest: { lineage: kept.lineage }, revoked: false, held: false });
    },
  );

  it('reads the snapshots of a client only when it is its turn', async () => {
    await account('bakery');
    await account('shop');
    const clients = listClients(options())[Symbol.asyncIterator]();
    expect((await clients.next()).value?.clientId).toBe('bakery');
    await stage().remove('/bot/session/store/shop');
    await stage().remove('/bot/backup/shop');
    expect((await clients.next()).value).not.toHaveProperty('newest');
  });

  it('refuses a client id and an option that is unknown', () => {
    expect(() => listClients({ clientId: 'shop' } as ListClientsOptions)).toThrow(ConfigurationError);
    expect(() => listClients({ sesionPath: '/x' } as ListClientsOptions)).toThrow(/sesionPath/);
  });
});

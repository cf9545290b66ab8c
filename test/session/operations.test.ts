import { describe, expect, it } from 'vitest';
import { StoreError } from '../../src/errors.js';
import { parseState } from '../../src/snapshot/state/store-state.js';
import { FakeWhatsApp } from '../../src/testing/fake-whatsapp.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

describe('restore()', () => {
  const stage = useFakeStage();

  /** A session with the saves `one` and `two`, running. */
  async function withSaves(): Promise<{ bot: FakeBot; one: string; two: string }> {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await stage().clock.advance(100_000);
    const one = (await bot.save('one')).id;
    await stage().clock.advance(1000);
    const two = (await bot.save('two')).id;
    await bot.note('never saved');
    return { bot, one, two };
  }

  it('puts the best snapshot in place, and starts a session that ran again', async () => {
    const { bot, two } = await withSaves();
    expect((await bot.finish(bot.session.restore())).id).toBe(two);
    expect(bot.state).toBe('ready');
    expect((await bot.client.readLogin())?.note).toBe('two');
    expect(bot.payloads('restore:completed')).toMatchObject([{ reason: 'requested', snapshot: { id: two } }]);
    expect(bot.payloads('session:quarantined')).toHaveLength(1);
    expect(bot.payloads('save:completed')).toHaveLength(2); // the profile that was given up is not saved
  });

  it('puts the one that is asked for in place, and that one stays at the next starts', async () => {
    const { bot, one } = await withSaves();
    await bot.finish(bot.session.restore(one));
    await bot.stop();
    const next = stage().bot({ session: BY_HAND });
    await next.start();
    expect((await next.client.readLogin())?.note).toBe('one');
    expect(next.payloads('restore:started')).toEqual([]);
  });

  it.each([1, 4, 7, 8, 9, 10])(
    'stays in place when the disk fails for a moment at the next start: read %i',
    async (failOn) => {
      const { bot, one } = await withSaves();
      await bot.finish(bot.session.restore(one));
      await bot.stop();
      stage().fs.arm({
        operation: 'handle.read',
        path: `${bot.client.profileDir}/Default`,
        failOn,
        errno: 'EIO',
      });
      const next = stage().bot({ session: BY_HAND });
      await next.start();
      stage().fs.arm({});
      expect((await next.client.readLogin())?.note).toBe('one');
      expect(next.payloads('restore:started')).toEqual([]);
    },
  );

  it('does not start a session again that was destroyed meanwhile', async () => {
    const { bot, one } = await withSaves();
    let stopped: Promise<void> | undefined;
    bot.session.on('restore:started', () => {
      stopped = bot.session.destroy();
    });
    await bot.finish(bot.session.restore(one));
    await stopped;
    expect(bot.state).toBe('stopped');
    expect(bot.client.launches).toBe(1);
  });

  it('replaces nothing when the lease is lost on the way', async () => {
    const { bot, one } = await withSaves();
    await bot.stop();
    bot.session.on('restore:started', () => {
      stage().sleepMachine(60_000);
      void stage().takeOver();
    });
    await expect(bot.finish(bot.session.restore(one))).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect((await bot.client.readLogin())?.note).toBe('never saved');
    expect(bot.payloads('session:quarantined')).toEqual([]);
  });

  it('leaves a session that did not run stopped', async () => {
    const { bot, one } = await withSaves();
    await bot.stop();
    await bot.finish(bot.session.restore(one));
    expect(bot.state).toBe('stopped');
    expect(bot.session.status().lease.held).toBe(false);
    expect((await bot.client.readLogin())?.note).toBe('one');
  });

  it('rejects for an unknown id, and touches nothing: the session runs on', async () => {
    const { bot } = await withSaves();
    await expect(bot.finish(bot.session.restore('nothing'))).rejects.toMatchObject({
      code: 'SNAPSHOT_NOT_FOUND',
    });
    expect(bot.state).toBe('ready');
    expect(bot.client.launches).toBe(1);
  });

  it('rejects where there is no snapshot at all', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await expect(bot.finish(bot.session.restore())).rejects.toMatchObject({
      code: 'SNAPSHOT_NOT_FOUND',
      operation: 'restore',
    });
  });

  it('rejects for a corrupt snapshot, leaves the profile as it was, and starts the session again', async () => {
    const store = new MemoryStore();
    const bot = stage().bot({ session: { ...BY_HAND, store } });
    await bot.logIn();
    const { id } = await bot.save('one');
    await bot.note('newer');
    await spoil(store);
    await expect(bot.finish(bot.session.restore(id))).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' });
    expect(bot.payloads('restore:failed')).toMatchObject([{ error: { code: 'SNAPSHOT_CORRUPT' } }]);
    expect(bot.state).toBe('ready');
    expect((await bot.client.readLogin())?.note).toBe('newer');
  });

  it('rejects for a corrupt snapshot of a session that is stopped, too, without reading it twice', async () => {
    const store = new MemoryStore();
    const bot = stage().bot({ session: { ...BY_HAND, store } });
    await bot.logIn();
    const { id } = await bot.save('one');
    await bot.note('newer');
    await bot.stop();
    await spoil(store);
    await expect(bot.finish(bot.session.restore(id))).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' });
    expect(bot.payloads('restore:failed')).toMatchObject([{ error: { code: 'SNAPSHOT_CORRUPT' } }]);
    expect(bot.payloads('session:quarantined')).toEqual([]);
    expect(bot.state).toBe('stopped');
    expect((await bot.client.readLogin())?.note).toBe('newer');
  });

  it('gives a login that WhatsApp rejected another chance', async () => {
    const { bot, two } = await withSaves();
    await bot.stop();
    const { whatsApp } = stage();
    whatsApp.accepts = () => false;
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
    whatsApp.accepts = FakeWhatsApp.prototype.accepts;
    await bot.finish(bot.session.restore(two));
    expect(bot.state).toBe('ready');
    await bot.stop();
    await stage().remove(bot.client.profileDir);
    await bot.start();
    expect(bot.state).toBe('ready');
  });
});

describe('clear()', () => {
  const stage = useFakeStage();

  it('closes the client, deletes profile, quarantine and every snapshot, and ends in idle', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await bot.save('one');
    await bot.backUp('two');
    await bot.finish(bot.session.restore());
    await bot.finish(bot.session.clear());
    expect(bot.state).toBe('idle');
    expect(bot.client.pupBrowser?.isConnected()).toBe(false);
    expect(bot.payloads('session:cleared')).toEqual([{ snapshots: 2 }]);
    const kept = await stage().filesBelow('/bot/auth');
    expect(kept).toEqual([expect.stringContaining('/lease/')]); // its number must go on
    // The marks outlive the login: a server may still finish a put.
    for (const root of ['/bot/backup', '/bot/session/store']) {
      const state = [`${root}/shop/state-copy.json`, `${root}/shop/state.json`];
      expect(await stage().filesBelow(root)).toEqual(state);
      const { promises } = stage().fs;
      for (const path of state) {
        const { marks, verified, places } = parseState(await promises.readFile(path));
        expect([marks.cleared.length, marks.revoked, marks.held, verified]).toEqual([1, [], [], []]);
        // No login belongs to this place any more.
        expect(places).toEqual([
          { place: expect.stringMatching(/^[0-9a-f]{32}$/), since: expect.any(String) },
        ]);
      }
    }
    expect(bot.session.status()).toMatchObject({ run: 0, lease: { held: false } });
    expect(bot.session.status()).not.toHaveProperty('lastSave');
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
  });

  it('leaves a backup that a person has kept and puts back under another name: restore(id) takes it', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    const { id } = await bot.backUp('kept');
    const { promises } = stage().fs;
    const [zip = ''] = (await stage().filesBelow('/bot/backup')).filter((path) => path.endsWith('.zip'));
    const bytes = await promises.readFile(zip);
    await bot.finish(bot.session.clear());
    for (const name of ['again.zip', zip.slice(zip.lastIndexOf('/') + 1)]) {
      await promises.writeFile(`/bot/backup/shop/${name}`, bytes);
      await bot.finish(bot.session.prune());
      const isKept = name === 'again.zip';
      expect((await bot.session.listSnapshots()).map((info) => info.id)).toEqual(isKept ? [id] : []);
      expect((await stage().filesBelow('/bot/backup')).some((path) => path.endsWith(name))).toBe(isKept);
      if (isKept) await promises.rm(`/bot/backup/shop/${name}`);
    }
    await promises.writeFile('/bot/backup/shop/again.zip', bytes);
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
    await bot.finish(bot.session.restore(id));
    await bot.untilState('ready');
    expect(await bot.client.readLogin()).toMatchObject({ note: 'kept' });
  });

  it('does not unlink the phone', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    const login = await bot.client.readLogin();
    await bot.finish(bot.session.clear());
    expect(login && stage().whatsApp.accepts(login)).toBe(true);
  });

  it('unlinks it when it is asked to', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    const login = await bot.client.readLogin();
    await bot.finish(bot.session.clear({ logout: true }));
    expect(login && stage().whatsApp.accepts(login)).toBe(false);
    expect(bot.state).toBe('idle');
  });

  it('rejects while a store is down and leaves the profile; the next call does it all', async () => {
    const backupStore = new MemoryStore();
    const bot = stage().bot({ session: { ...BY_HAND, backupStore } });
    await bot.logIn();
    await bot.backUp('one');
    backupStore.setDown(true);
    await expect(bot.finish(bot.session.clear())).rejects.toMatchObject({ code: 'STORE' });
    expect(bot.state).toBe('stopped');
    expect(await bot.client.readLogin()).toBeDefined();
    backupStore.setDown(false);
    await bot.finish(bot.session.clear());
    expect(bot.state).toBe('idle');
    expect(await bot.client.readLogin()).toBeUndefined();
    expect(await bot.session.listSnapshots()).toEqual([]);
  });

  it('works on a session that never ran', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.finish(bot.session.clear());
    expect(bot.state).toBe('idle');
    expect(bot.payloads('session:cleared')).toEqual([{ snapshots: 0 }]);
  });
});

describe('a call after a suspension', () => {
  const stage = useFakeStage();

  it('works as the same owner when nobody took over', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    stage().sleepMachine(60_000);
    await bot.finish(bot.session.prune());
    expect(bot.payloads('lease:acquired')).toHaveLength(1);
    expect(bot.session.status().lease).toMatchObject({ held: true, generation: 1 });
  });

  it('is refused when another did, and the session says that it lost its lease', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    stage().sleepMachine(60_000);
    await stage().takeOver();
    await expect(bot.finish(bot.session.prune())).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect(bot.payloads('lease:lost')).toEqual([{ reason: 'another process took the session over' }]);
    await bot.untilState('stopped', { limitMs: 10_000 });
  });
});

describe('prune()', () => {
  const stage = useFakeStage();

  it('removes what retention no longer keeps, and says how much', async () => {
    const first = stage().bot({ session: BY_HAND });
    await first.logIn();
    const ids: string[] = [];
    for (const note of ['one', 'two', 'three']) {
      ids.push((await first.save(note)).id);
      await stage().clock.advance(1000);
    }
    await first.stop();
    const bot = stage().bot({ session: { ...BY_HAND, retention: { saves: { keepLast: 2 } } } });
    const pruned = await bot.finish(bot.session.prune());
    expect(pruned.removedSnapshots).toEqual(expect.arrayContaining(ids.slice(0, 2)));
    expect(pruned.freedBytes).toBeGreaterThan(0);
    expect(await bot.session.listSnapshots()).toHaveLength(2);
    expect(bot.payloads('snapshots:pruned')).toHaveLength(1);
    expect(bot.state).toBe('idle');
    expect(bot.session.status().lease.held).toBe(false);
  });

  it('leaves the lease to a session that starts meanwhile', async () => {
    const bot = await stage().loggedInOnce({ session: BY_HAND });
    await bot.finish(Promise.all([bot.session.prune(), bot.session.initialize()]));
    expect(bot.state).toBe('ready');
    expect(bot.session.status().lease.held).toBe(true);
    expect(await bot.save('still mine')).toMatchObject({ kind: 'save' });
  });

  it('removes the caches of the profile only while no browser runs', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    const cache = `${bot.client.profileDir}/Default/Cache`;
    await stage().fs.promises.mkdir(cache, { recursive: true });
    await stage().fs.promises.writeFile(`${cache}/data_0`, 'cached');
    expect(await bot.finish(bot.session.prune())).toMatchObject({ cacheFiles: 0 });
    expect(await stage().exists(`${cache}/data_0`)).toBe(true);
    await bot.stop(); // removes them, too
    await stage().fs.promises.mkdir(cache, { recursive: true });
    await stage().fs.promises.writeFile(`${cache}/data_0`, 'cached');
    expect(await bot.finish(bot.session.prune())).toMatchObject({ cacheFiles: 1 });
    expect(await bot.client.readLogin()).toBeDefined();
  });
});

describe('verify()', () => {
  const stage = useFakeStage();

  it('finds all of them sound, and says when it looked', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await bot.save('one');
    await bot.backUp('two');
    const report = await bot.finish(bot.session.verify());
    expect(report.corrupt).toEqual([]);
    expect(report.sound.map(({ kind }) => kind).sort()).toEqual(['backup', 'save']);
    expect(report.sound.every(({ verifiedAt }) => verifiedAt !== undefined)).toBe(true);
  });

  it('notes it also of a session that does not run', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await bot.backUp('one');
    await bot.stop();
    const checked = stage().bot({ session: BY_HAND });
    const { sound } = await bot.finish(checked.session.verify());
    expect(sound.map(({ kind }) => kind).sort()).toEqual(['backup', 'save']);
    const another = stage().bot({ session: BY_HAND });
    for (const { verifiedAt } of [...sound, ...(await another.session.listSnapshots())]) {
      expect(verifiedAt).toBeDefined();
    }
  });

  it('finds a flipped byte, and announces it', async () => {
    const store = new MemoryStore();
    const bot = stage().bot({ session: { ...BY_HAND, store } });
    await bot.logIn();
    const { id } = await bot.save('one');
    await spoil(store);
    const report = await bot.finish(bot.session.verify(id));
    expect(report.sound).toEqual([]);
    expect(report.corrupt).toMatchObject([{ snapshot: { id }, error: { code: 'SNAPSHOT_CORRUPT' } }]);
    expect(bot.payloads('corruption:detected')).toMatchObject([{ where: 'snapshot', snapshot: { id } }]);
  });

  it('tells what a store could not deliver, when another one can be verified', async () => {
    const [store, backups] = [new MemoryStore({ name: 'ours' }), new MemoryStore({ name: 'zips' })];
    const bot = stage().bot({ session: { ...BY_HAND, store, backupStore: backups } });
    await bot.logIn();
    await bot.save('one');
    await bot.backUp('two');
    backups.get = async () => {
      throw new StoreError('403');
    };
    const report = await bot.finish(bot.session.verify());
    expect(report.sound).toMatchObject([{ store: 'ours' }]);
    expect(report.unread).toMatchObject([{ snapshot: { store: 'zips' }, error: { code: 'STORE' } }]);
    expect(bot.payloads('warning').at(-1)).toMatchObject({
      code: 'snapshot-unreadable',
      message: expect.stringContaining('zips'),
    });
  });

  it('rejects for an unknown id, and for a store that is down: that is no corruption', async () => {
    const stores = { store: new MemoryStore(), backupStore: new MemoryStore() };
    const bot = stage().bot({ session: { ...BY_HAND, ...stores } });
    await bot.logIn();
    await bot.save('one');
    await expect(bot.finish(bot.session.verify('nothing'))).rejects.toMatchObject({
      code: 'SNAPSHOT_NOT_FOUND',
    });
    stores.store.get = () =>
      Promise.reject(Object.assign(new Error('connection lost'), { code: 'ECONNRESET' }));
    await expect(bot.finish(bot.session.verify())).rejects.toMatchObject({ message: /connection lost/ });
  });
});

describe('listSnapshots()', () => {
  const stage = useFakeStage();

  it('tells all of all stores, newest first', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    const ids: string[] = [];
    for (const note of ['one', 'two']) {
      ids.unshift((await bot.save(note)).id);
      await stage().clock.advance(1000);
    }
    ids.unshift((await bot.backUp('three')).id);
    expect((await bot.session.listSnapshots()).map(({ id }) => id)).toEqual(ids);
  });

  it('tells of the stores that answer, and rejects when none does', async () => {
    const stores = { store: new MemoryStore(), backupStore: new MemoryStore() };
    const bot = stage().bot({ session: { ...BY_HAND, ...stores } });
    await bot.logIn();
    await bot.save('one');
    stores.backupStore.setDown(true);
    expect(await bot.session.listSnapshots()).toHaveLength(1);
    expect(bot.warnings).toContain('store-unreachable');
    stores.store.setDown(true);
    await expect(bot.session.listSnapshots()).rejects.toMatchObject({ code: 'STORE' });
    stores.store.setDown(false);
  });
});

describe('status()', () => {
  const stage = useFakeStage();

  it('survives JSON, and tells where the session stands', async () => {
    const bot = stage().bot({ session: { ...BY_HAND, maxReconnectAttempts: Number.POSITIVE_INFINITY } });
    await bot.logIn();
    const lastSave = await bot.save('one');
    const lastBackup = await bot.backUp('two');
    const status = bot.session.status();
    expect(JSON.parse(JSON.stringify(status))).toEqual(status);
    expect(status).toMatchObject({
      clientId: 'shop',
      state: 'ready',
      stateSince: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      run: 1,
      lastSave,
      lastBackup,
      reconnect: { attempt: 0, maxAttempts: null },
      lease: { held: true },
      paths: { profile: '/bot/auth/session-shop', session: '/bot/session', backup: '/bot/backup' },
    });
  });

  it('is told from memory: it reads no file', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await bot.until('quiet', () => true);
    const before = stage().fs.calls.length;
    bot.session.status();
    expect(stage().fs.calls.length).toBe(before);
  });

  it('is a moment: what comes later does not change it', async () => {
    const bot = stage().bot({ session: BY_HAND });
    const before = bot.session.status();
    await bot.logIn();
    expect(before.state).toBe('idle');
    expect(before).not.toHaveProperty('lineage');
  });
});

describe('sendTestMessage()', () => {
  const stage = useFakeStage();

  it('sends the text to the chat of the number, however that is written', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    const result = await bot.session.sendTestMessage('+972 (50) 123-45.67', 'hello');
    expect(result).toEqual({ chatId: '972501234567@c.us', messageId: 'true_972501234567@c.us_1' });
    expect(bot.client.sent).toEqual([{ chatId: '972501234567@c.us', content: 'hello' }]);
  });

  it.each([
    ['too short', '12345'],
    ['too long', '1234567890123456'],
    ['a leading zero', '0501234567'],
    ['letters', '97250abc4567'],
    ['nothing', ''],
    ['no string', 972501234567],
  ])('refuses a number: %s', async (_name, phoneNumber) => {
    const bot = stage().bot({ session: BY_HAND });
    const sending = bot.session.sendTestMessage(phoneNumber as string, 'hello');
    await expect(sending).rejects.toMatchObject({ code: 'CONFIGURATION', operation: 'sendTestMessage' });
  });

  it.each([
    ['empty', ''],
    ['blank', ' \n'],
    ['too long', 'x'.repeat(65_537)],
    ['no string', 5],
  ])('refuses a text: %s', async (_name, text) => {
    const bot = stage().bot({ session: BY_HAND });
    const sending = bot.session.sendTestMessage('972501234567', text as string);
    await expect(sending).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });

  it('is refused while the session is not ready', async () => {
    const bot = stage().bot({ session: BY_HAND });
    const sending = bot.session.sendTestMessage('972501234567', 'hello');
    await expect(sending).rejects.toMatchObject({ code: 'INVALID_STATE', operation: 'sendTestMessage' });
  });

  it('gives up after puppeteerTimeoutMs on a page that does not answer', async () => {
    const bot = stage().bot({ session: { ...BY_HAND, puppeteerTimeoutMs: 5000 } });
    await bot.logIn();
    bot.client.sendMessage = () => new Promise(() => undefined);
    const sending = bot.session.sendTestMessage('972501234567', 'hello');
    sending.catch(() => undefined);
    await stage().clock.advance(5000);
    await expect(sending).rejects.toMatchObject({ code: 'TIMEOUT' });
  });

  it('tells no message id where the client tells none', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    Object.assign(bot.client, { sendMessage: async () => undefined });
    expect(await bot.session.sendTestMessage('972501234567', 'hello')).toEqual({
      chatId: '972501234567@c.us',
    });
  });
});

/** Flips a bit of the largest object of each kind: of the files that every snapshot has. */
async function spoil(store: MemoryStore): Promise<void> {
  for await (const { key } of store.list('')) {
    if (!key.includes('/objects/')) continue;
    const found = await store.get(key);
    const bytes: Buffer[] = [];
    for await (const chunk of found?.body ?? []) bytes.push(Buffer.from(chunk as Uint8Array));
    const whole = Buffer.concat(bytes);
    whole[whole.length - 1] = (whole[whole.length - 1] ?? 0) ^ 1;
    await store.put(key, whole);
  }
}

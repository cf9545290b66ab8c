import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SnapshotInfo } from '../../src/index.js';
import { writeFakeProfile } from '../../src/testing/fake-profile.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { ANNA, BEN } from '../support/accounts.js';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { INDEXED_DB, memoryFileSystem, useFakeStage } from '../support/fake-stage.js';

const HOUR_MS = 60 * 60 * 1000;

describe('a start', () => {
  const stage = useFakeStage();

  /** The note in the profile: tells which copy came back. */
  async function noteIn(bot: FakeBot): Promise<string | undefined> {
    return (await bot.client.readLogin())?.note;
  }

  it('uses a sound profile as it is', async () => {
    await stage().loggedInOnce();
    const bot = stage().bot();
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(bot.payloads('restore:started')).toEqual([]);
  });

  it('restores an absent profile', async () => {
    const first = await stage().loggedInOnce();
    await stage().remove('/bot/auth');
    await stage().clock.advance(HOUR_MS);
    const bot = stage().bot();
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(bot.codes).toEqual([]);
    const [snapshot] = await first.session.listSnapshots();
    expect(bot.payloads('restore:started')).toMatchObject([
      { snapshot: { id: snapshot?.id }, reason: 'profile-absent' },
    ]);
    expect(bot.payloads('restore:completed')).toMatchObject([
      { snapshot: { id: snapshot?.id }, reason: 'profile-absent', ageMs: HOUR_MS },
    ]);
    expect(bot.session.status().lastRestore?.snapshot.id).toBe(snapshot?.id);
    expect(bot.session.status()).toMatchObject({ lineage: snapshot?.lineage, run: 2 });
  });

  it('restores a damaged profile, announces the damage, and keeps what it replaced in quarantine', async () => {
    const first = await stage().loggedInOnce();
    await stage().damageProfile(first);
    const bot = stage().bot();
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(bot.codes).toEqual([]);
    expect(bot.payloads('corruption:detected')).toMatchObject([
      { where: 'profile', findings: [{ file: expect.stringContaining('MANIFEST') }] },
    ]);
    expect(bot.payloads('restore:completed')).toMatchObject([{ reason: 'profile-damaged' }]);
    const [quarantined] = bot.payloads('session:quarantined');
    expect(await stage().filesBelow(quarantined?.path ?? '')).not.toEqual([]);
  });

  it('restores a profile in whose place a file lies, and keeps the file', async () => {
    const first = await stage().loggedInOnce();
    const { profileDir } = first.client;
    await stage().remove(profileDir);
    await stage().fs.promises.writeFile(profileDir, 'no folder');
    const bot = stage().bot();
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(bot.codes).toEqual([]);
    expect(bot.payloads('session:quarantined')).toHaveLength(1);
  });

  it('shows a QR where nothing was ever saved, and puts a damaged profile aside first', async () => {
    const first = stage().bot({ session: BY_HAND });
    await first.logIn();
    await first.finish(first.session.restore('none').catch(() => undefined)); // no snapshot: nothing happens
    stage().fs.arm({ path: '/session/store', failOn: 1, times: Number.POSITIVE_INFINITY });
    await first.stop();
    stage().fs.arm({});
    await stage().damageProfile(first);
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
    expect(bot.warnings).toContain('nothing-to-restore');
    expect(bot.payloads('session:quarantined')).toMatchObject([{ reason: 'profile-damaged' }]);
  });

  it('uses an older copy that was put in place by hand, with the record removed, as docs/recovery.md says', async () => {
    const first = stage().bot({ session: BY_HAND });
    await first.logIn();
    await stage().clock.advance(100_000);
    await first.backUp('older');
    const older = await stage().copyTree(first.client.profileDir);
    await first.save('the newest');
    await first.stop();
    await stage().remove(first.client.profileDir);
    await stage().remove('/bot/auth/.session-shop.persistent/session.json');
    await older.putAt(first.client.profileDir);
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(await noteIn(bot)).toBe('older');
    expect(bot.payloads('restore:started')).toEqual([]);
    const lineages = new Set((await bot.session.listSnapshots()).map(({ lineage }) => lineage));
    expect(lineages).toEqual(new Set([bot.session.status().lineage]));
  });

  it('takes the newest snapshot of all stores', async () => {
    const first = stage().bot({ session: BY_HAND });
    await first.logIn();
    await stage().clock.advance(100_000); // settled, all of them
    for (const note of ['one', 'two']) {
      await first.save(note);
      await stage().clock.advance(1000);
    }
    await first.backUp('three');
    await lose(first);
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    expect(await noteIn(bot)).toBe('three');
    expect(bot.payloads('restore:completed')).toMatchObject([{ snapshot: { kind: 'backup' } }]);
  });

  it('takes a settled snapshot before a newer unsettled one of the same run', async () => {
    const first = stage().bot({ session: BY_HAND });
    await first.logIn();
    await stage().clock.advance(100_000);
    await first.save('settled');
    await stage().clock.advance(1000);
    await first.note('unsettled');
    if (first.client.pupBrowser) first.client.pupBrowser.hangs = true; // its final save is not settled
    await first.stop();
    first.client.pupBrowser?.kill();
    await stage().remove('/bot/auth');
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    expect(await noteIn(bot)).toBe('settled');
  });

  it('takes a later run before everything of an earlier one', async () => {
    const first = stage().bot({ session: BY_HAND });
    await first.logIn();
    await stage().clock.advance(100_000);
    const settled = await first.save('settled');
    await first.stop();
    await first.start();
    await stage().clock.advance(1000);
    expect((await first.save('next run')).run).toBe(settled.run + 1);
    await lose(first);
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    expect(await noteIn(bot)).toBe('next run');
  });

  it('passes a corrupt snapshot over for the next one, and tells so', async () => {
    const first = stage().bot({ session: BY_HAND });
    await first.logIn();
    await stage().clock.advance(100_000);
    await first.save('older');
    await stage().clock.advance(1000);
    const newest = await first.save('newest');
    await lose(first);
    await corrupt(newest);
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(await noteIn(bot)).toBe('older');
    expect(bot.payloads('restore:failed')).toMatchObject([
      { error: { code: 'SNAPSHOT_CORRUPT' }, snapshot: { id: newest.id } },
    ]);
  });

  it('takes a newer snapshot of the same lineage before its own sound profile', async () => {
    const store = new MemoryStore();
    const here = stage().bot({ session: { ...BY_HAND, store } });
    await here.logIn();
    await here.stop();
    // Another machine goes on with the session, and comes back only as its saves.
    const fs = memoryFileSystem();
    const there = stage().bot({ client: { fs }, session: { ...BY_HAND, store, fs } });
    await there.start();
    await there.note('from there');
    await there.stop();
    const again = stage().bot({ session: { ...BY_HAND, store } });
    await again.start();
    expect(again.payloads('restore:completed')).toMatchObject([{ reason: 'newer-snapshot' }]);
    expect(await noteIn(again)).toBe('from there');
    expect(again.session.status().run).toBe(3);
  });

  it('does not restore a snapshot of its own last run over its sound profile', async () => {
    const first = await stage().loggedInOnce();
    await first.client.writeLogin({ ...(await loginOf(first)), note: 'after the last save' });
    const bot = stage().bot();
    await bot.start();
    expect(bot.payloads('restore:started')).toEqual([]);
    expect(await noteIn(bot)).toBe('after the last save');
  });

  describe('with a store that is down', () => {
    it('never shows a QR where the profile is absent: the start fails and is tried again', async () => {
      const stores = { store: new MemoryStore(), backupStore: new MemoryStore() };
      const first = stage().bot({ session: { ...BY_HAND, ...stores } });
      await first.logIn();
      await first.stop();
      await stage().remove('/bot/auth');
      stores.store.setDown(true);
      stores.backupStore.setDown(true);
      const bot = stage().bot({ session: { ...BY_HAND, ...stores, maxReconnectAttempts: 50 } });
      const start = bot.session.initialize();
      await bot.until('some tries', () => bot.payloads('reconnect:attempted').length >= 3);
      expect(bot.codes).toEqual([]);
      expect(bot.client.launches).toBe(0);
      expect(bot.warnings).toContain('store-unreachable');
      stores.store.setDown(false);
      await bot.finish(start);
      expect(bot.state).toBe('ready');
      expect(bot.codes).toEqual([]);
    });

    it('starts from a sound profile', async () => {
      const stores = { store: new MemoryStore(), backupStore: new MemoryStore() };
      const first = stage().bot({ session: { ...BY_HAND, ...stores } });
      await first.logIn();
      await first.stop();
      stores.store.setDown(true);
      stores.backupStore.setDown(true);
      const bot = stage().bot({ session: { ...BY_HAND, ...stores } });
      await bot.start();
      expect(bot.state).toBe('ready');
      stores.store.setDown(false);
    });

    it('takes what another store has', async () => {
      const stores = { store: new MemoryStore(), backupStore: new MemoryStore() };
      const first = stage().bot({ session: { ...BY_HAND, ...stores } });
      await first.logIn();
      await first.backUp('in the zip');
      await first.stop();
      await stage().remove('/bot/auth');
      stores.store.setDown(true);
      const bot = stage().bot({ session: { ...BY_HAND, ...stores } });
      await bot.start();
      expect(bot.state).toBe('ready');
      expect(await noteIn(bot)).toBe('in the zip');
      stores.store.setDown(false);
    });
  });

  it('removes caches of a profile that has outgrown maxSessionSizeMb, before the launch', async () => {
    const first = await stage().loggedInOnce();
    const cache = join(first.client.profileDir, 'Default/Cache/Cache_Data/data_0');
    await stage().fs.promises.mkdir(join(cache, '..'), { recursive: true });
    await stage().fs.promises.writeFile(cache, Buffer.alloc(2 * 1024 * 1024));
    const bot = stage().bot({ session: { ...BY_HAND, maxSessionSizeMb: 1 } });
    await bot.start();
    expect(await stage().exists(cache)).toBe(false);
    expect(bot.payloads('profile:pruned')).toMatchObject([{ files: 1 }]);
    expect(bot.state).toBe('ready');
  });

  /** The process is gone without a final save, and so is the profile with all that lies beside it. */
  async function lose(bot: FakeBot): Promise<void> {
    stage().fs.arm({ path: '/session/store', failOn: 1, times: Number.POSITIVE_INFINITY });
    await bot.stop();
    stage().fs.arm({});
    await stage().remove('/bot/auth');
  }

  /** One byte of an object that only this save has. */
  async function corrupt({ id }: SnapshotInfo): Promise<void> {
    const manifest = JSON.parse(
      String(await stage().fs.promises.readFile(`/bot/session/store/shop/snapshots/${id}.json`, 'utf8')),
    ) as { files: { path: string; sha256: string }[] };
    const log = manifest.files.find(({ path }) => path === `${INDEXED_DB}/000003.log`);
    const object = (await stage().filesBelow('/bot/session/store/shop/objects')).find((path) =>
      path.endsWith(log?.sha256 ?? '?'),
    );
    if (object === undefined) throw new Error('the save has no object for its log');
    const bytes = await stage().fs.promises.readFile(object);
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
    await stage().fs.promises.writeFile(object, bytes);
  }

  async function loginOf(bot: FakeBot) {
    const login = await bot.client.readLogin();
    if (!login) throw new Error('there is no login');
    return login;
  }
});

describe('an older login that a person has brought back with restore(id) in place of a newer one', () => {
  const stage = useFakeStage();

  async function bringAnnaBack(): Promise<{ bot: FakeBot; idOfAnna: string }> {
    const anna = stage().bot();
    await anna.logIn(ANNA);
    await stage().clock.advance(100_000);
    const { id: idOfAnna } = await anna.save('anna');
    await anna.stop();
    const profile = '/import/session-ben';
    await writeFakeProfile(stage().fs, profile, { ...stage().whatsApp.pair(BEN), note: 'ben' });
    const bot = stage().bot();
    await bot.finish(bot.session.importSession(profile));
    await bot.start();
    await stage().clock.advance(300_000);
    await bot.save('later');
    return { bot, idOfAnna };
  }

  it.each([0, 8, 200])(
    'leaves it for a QR where the phone logs it out (%s s after ready)',
    async (seconds) => {
      const { bot, idOfAnna } = await bringAnnaBack();
      await bot.finish(bot.session.restore(idOfAnna));
      expect(bot.client.info?.wid._serialized).toBe(ANNA);
      for (let second = 0; second < seconds; second++) await stage().clock.advance(1000);
      await bot.client.logOutByPhone();
      await bot.untilState('awaiting_qr');
      expect(bot.payloads('restore:completed').map(({ reason }) => reason)).toEqual([
        'imported',
        'requested',
      ]);
    },
  );

  it('gives way to it again where WhatsApp does not accept the older one', async () => {
    const { bot, idOfAnna } = await bringAnnaBack();
    stage().whatsApp.revoke({ credential: 'credential-1', note: '' });
    await bot.finish(bot.session.restore(idOfAnna));
    expect([bot.state, bot.client.info?.wid._serialized, bot.codes]).toEqual(['ready', BEN, []]);
  });
});

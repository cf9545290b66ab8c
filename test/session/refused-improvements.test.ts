import { describe, expect, it } from 'vitest';
import { FileSystemStore } from '../../src/index.js';
import { parseState } from '../../src/snapshot/state/store-state.js';
import type { ObjectInfo } from '../../src/stores/session-store.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const FOR_EVER = { failOn: 1, times: Number.POSITIVE_INFINITY };

/** As a remote store's listing may hold them: made by its console, or by another program. */
class ForeignKeys extends MemoryStore {
  override async *list(...given: Parameters<MemoryStore['list']>): ReturnType<MemoryStore['list']> {
    const [prefix] = given;
    for (const name of ['', 'a:b', '../up', 'x.zip/', 'con']) {
      const info: ObjectInfo = { key: `${prefix}${name}`, size: 0, version: '1', modifiedAt: new Date(0) };
      yield info;
    }
    yield { key: 'elsewhere/x.zip', size: 0, version: '1', modifiedAt: new Date(0) };
    yield* super.list(...given);
  }
}

describe('what only makes things better', () => {
  const stage = useFakeStage();
  const limited = (bot: FakeBot) => bot.payloads('warning').filter(({ code }) => code === 'store-limited');

  /** A full life: saves, backups, a restore after a loss, a prune. */
  async function live(bot: FakeBot): Promise<void> {
    await bot.logIn();
    for (const note of ['one', 'two']) {
      await bot.save(note);
      await bot.backUp(`${note} more`);
    }
    await bot.finish(bot.session.restore());
    await bot.finish(bot.session.prune());
    await bot.finish(bot.session.verify());
    await bot.stop();
  }

  it.each([
    [/^(handle\.)?chmod$/, 'EPERM'],
    [/^(handle\.)?chmod$/, 'ENOTSUP'],
    [/^(handle\.)?utimes$/, 'EPERM'],
    [/^handle\.(sync|chmod|utimes)$/, 'ENOSYS'],
    [/^(chmod|handle\.(sync|chmod|utimes))$/, 'EINVAL'],
    [/^copyFile$/, 'EPERM'],
  ])('%s that is refused with %s is passed over, and told once for each store', async (operation, errno) => {
    const bot = stage().bot({ session: BY_HAND });
    // The profile's own disk is Chromium's.
    stage().fs.arm({ operation, path: /\/bot\/(session|backup)/, errno, ...FOR_EVER });
    await live(bot);
    const messages = limited(bot).map(({ message }) => message);
    expect(new Set(messages).size).toBe(messages.length);
    if (!String(operation).includes('copyFile')) {
      expect(messages.join('\n')).toContain('file-system: its file system refuses');
      expect(messages.join('\n')).toContain('backup-dir: its file system refuses');
    }
    expect(bot.payloads('save:failed')).toEqual([]);
    expect(bot.payloads('backup:failed')).toEqual([]);
    const next = stage().bot({ session: BY_HAND });
    await stage().remove('/bot/auth');
    await next.start();
    expect(next.state).toBe('ready');
    expect((await next.client.readLogin())?.note).toBe('two more');
  });

  it('foreign keys in the listing of a store are passed over, and told once', async () => {
    const stores = { store: new ForeignKeys(), backupStore: new ForeignKeys({ name: 'zips' }) };
    const bot = stage().bot({ session: { ...BY_HAND, ...stores } });
    await live(bot);
    const messages = limited(bot).map(({ message }) => message);
    expect(messages).toContain(
      'the store memory: "shop/a:b" in its listing is not a key of this library, and is skipped',
    );
    expect(new Set(messages).size).toBe(messages.length);
    expect(bot.warnings).not.toContain('store-unreachable');
    const next = stage().bot({ session: { ...BY_HAND, ...stores } });
    await stage().remove('/bot/auth');
    await next.start();
    expect(next.state).toBe('ready');
    await next.finish(next.session.clear());
    for (const store of Object.values(stores)) {
      const kept: string[] = [];
      for await (const { key } of MemoryStore.prototype.list.call(store, 'shop/')) kept.push(key);
      // What is left tells that this login was cleared, and that no login belongs to the place any more.
      expect(kept).toEqual(['shop/state-copy.json', 'shop/state.json']);
      const state = await store.get('shop/state.json');
      const { marks, places } = parseState(Buffer.concat(await (state?.body.toArray() ?? [])));
      expect(marks.cleared).toHaveLength(1);
      expect(places.map(({ lineage }) => lineage)).toEqual([undefined]);
    }
  });

  it.each(['/bot/backup/lost+found', '/bot/backup/shop/lost+found', '/bot/session/store/lost+found'])(
    'an unreadable %s is passed over, and told once',
    async (folder) => {
      await stage().fs.promises.mkdir(folder, { recursive: true });
      await stage().fs.promises.writeFile(`${folder}/secret`, '');
      const bot = stage().bot({ session: BY_HAND });
      stage().fs.arm({ operation: 'readdir', path: 'lost+found', errno: 'EACCES', ...FOR_EVER });
      await live(bot);
      expect(limited(bot)).toHaveLength(1);
      expect(limited(bot)[0]?.message).toContain('lost+found');
      expect(bot.warnings).not.toContain('cleanup-failed');
      const left = '/bot/backup/shop/.tmp-0123456789ab-1-00';
      await stage().fs.promises.writeFile(left, 'of a killed process');
      await stage().fs.promises.utimes(left, 0, 0);
      stage().fs.arm({ operation: 'readdir', path: 'lost+found', errno: 'EACCES', ...FOR_EVER });
      const next = stage().bot({ session: BY_HAND });
      await next.start();
      expect(await stage().exists(left)).toBe(false);
    },
  );

  it('a folder that was asked for and may not be read is no empty store', async () => {
    await stage().loggedInOnce({ session: BY_HAND });
    await stage().remove('/bot/auth');
    stage().fs.arm({
      operation: 'readdir',
      path: /\/bot\/(backup|session\/store)\/shop/,
      errno: 'EACCES',
      ...FOR_EVER,
    });
    const bot = stage().bot({ session: { ...BY_HAND, maxInitRetries: 0, maxReconnectAttempts: 0 } });
    const start = bot.session.initialize();
    await bot.until('a further try', () => bot.payloads('reconnect:scheduled').length >= 2);
    expect(bot.codes).toEqual([]);
    stage().fs.arm({});
    await bot.finish(start);
    expect(bot.state).toBe('ready');
    expect(bot.codes).toEqual([]);
  });

  it('one snapshot that may not be read hides no other; none of them is a store that fails', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    const older = await bot.save('older');
    const newer = await bot.save('newer');
    const denied = { operation: 'open', errno: 'EACCES', ...FOR_EVER };
    stage().fs.arm({ ...denied, path: `${newer.id}.json` });
    const next = new FileSystemStore('/bot/session/store', { fs: stage().fs });
    const other = stage().bot({ session: { ...BY_HAND, store: next } });
    const ids = (await other.finish(other.session.listSnapshots())).map(({ id }) => id);
    expect(ids).toContain(older.id);
    expect(ids).not.toContain(newer.id);
    await other.finish(other.session.listSnapshots());
    expect(other.warnings.filter((code) => code === 'snapshot-unreadable')).toHaveLength(1);
    stage().fs.arm({ ...denied, path: '/snapshots/' });
    const third = stage().bot({ session: BY_HAND });
    await expect(third.finish(third.session.listSnapshots())).rejects.toMatchObject({ code: 'STORE' });
    stage().fs.arm({});
    await bot.finish(bot.session.prune());
    expect((await bot.finish(bot.session.listSnapshots())).map(({ id }) => id)).toContain(newer.id);
  });

  it('what lies beside the profile and may not be looked at is passed over, and told once', async () => {
    await stage().loggedInOnce({ session: BY_HAND });
    const beside = '/bot/auth/.session-shop.persistent';
    for (const place of ['staging/foreign', 'quarantine/foreign', 'staging/left/Default']) {
      await stage().fs.promises.mkdir(`${beside}/${place}`, { recursive: true });
    }
    const bot = stage().bot({ session: BY_HAND });
    stage().fs.arm({
      operation: /^(readdir|rm)$/,
      path: /persistent\/(staging|quarantine)\/foreign/,
      errno: 'EACCES',
      ...FOR_EVER,
    });
    await bot.start();
    await bot.finish(bot.session.prune());
    expect(await stage().exists(`${beside}/staging/left`)).toBe(false);
    const told = bot.payloads('warning').filter(({ code }) => code === 'cleanup-failed');
    expect(told.map(({ message }) => message)).toEqual([
      `${beside}/staging/foreign may not be read or removed, and is skipped`,
      `${beside}/quarantine/foreign may not be read or removed, and is skipped`,
    ]);
  });
});

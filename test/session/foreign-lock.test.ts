import { beforeEach, describe, expect, it } from 'vitest';
import { FileSystemStore } from '../../src/index.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const BY_HAND = { forceSaveIntervalMs: 0, backupIntervalMs: 0, healthCheckIntervalMs: 0 };
const STORES = ['/bot/session/store', '/bot/backup'];
const LOCKS = STORES.map((root) => `${root}/shop/.lock-state-copy.json`);

/** A container was killed while it held a lock on a volume. The next one has another name, so nobody can prove it dead. */
describe('a lock in a local store whose holder was killed in another container', () => {
  const stage = useFakeStage();
  const newBot = () => {
    const { fs, clock } = stage();
    const [store, backupStore] = STORES.map((root, index) => {
      return new FileSystemStore(root, { fs, clock, name: ['saves', 'backups'][index] ?? '' });
    });
    return stage().bot({
      session: { ...BY_HAND, ...(store && { store }), ...(backupStore && { backupStore }) },
    });
  };
  const areGone = async () =>
    (await Promise.all(LOCKS.map((lock) => stage().exists(lock)))).every((is) => !is);
  const wait = async (bot: FakeBot, ms: number) => {
    const end = stage().clock.monotonic() + ms;
    await bot.until('the time', () => stage().clock.monotonic() >= end);
  };

  beforeEach(async () => {
    const anna = newBot();
    await anna.logIn();
    await anna.save('one');
    await anna.backUp('one');
    await anna.stop();
    for (const lock of LOCKS) await stage().fs.promises.writeFile(lock, 'token-1 another-host 17\n');
  });

  it('is broken when a logout is to be marked some seconds after the start', async () => {
    const bot = newBot();
    await bot.start();
    await wait(bot, 10_000);
    await bot.client.logOutByPhone();
    await bot.untilState('awaiting_qr');
    expect((await bot.session.listSnapshots()).every(({ revoked }) => revoked)).toBe(true);
    expect(bot.warnings).not.toContain('store-unreachable');
    expect(bot.warnings).not.toContain('revocation-incomplete');
    expect(await areGone()).toBe(true);
  });

  it('delays a logout at the start, which is marked nevertheless', async () => {
    const bot = newBot();
    await bot.start();
    await bot.client.logOutByPhone();
    await bot.untilState('awaiting_qr');
    await wait(bot, 30_000);
    await bot.stop();
    const next = newBot();
    await next.start();
    expect((await next.session.listSnapshots()).every(({ revoked }) => revoked)).toBe(true);
    expect(await areGone()).toBe(true);
  });

  it.each(['after a start', 'without one'])('does not keep clear() from its work, %s', async (when) => {
    const bot = newBot();
    if (when === 'after a start') await bot.start();
    await bot.finish(bot.session.clear());
    expect(await areGone()).toBe(true);
  });
});

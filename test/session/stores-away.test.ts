import { describe, expect, it } from 'vitest';
import { sleep } from '../../src/clock.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { ANNA, BEN } from '../support/accounts.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const HOUR_MS = 3_600_000;

/** A store that answers with errors, or a disk that is not mounted and looks empty, at the moment when it is to be told. */
describe('a store that is away when a login changes its place or ends', () => {
  const stage = useFakeStage();
  const accountOf = (bot: FakeBot) => [bot.state, bot.client.info?.wid._serialized];
  const wait = async (bot: FakeBot, ms: number) => {
    const end = stage().clock.monotonic() + ms;
    await bot.until('the time', () => stage().clock.monotonic() >= end, {
      stepMs: ms > 60_000 ? 5_000 : 1_000,
    });
  };
  const rename = async () => {
    for (const folder of ['session-a', '.session-a.persistent']) {
      const to = `/bot/auth/${folder.replace('-a', '-b')}`;
      await stage().fs.promises.rename(`/bot/auth/${folder}`, to);
    }
  };

  it('is told later that a login has another client id now, so that the old id does not get it', async () => {
    const store = new MemoryStore({ clock: stage().clock, name: 'saves' });
    const backupStore = new MemoryStore({ clock: stage().clock, name: 'backups' });
    const botOf = (clientId: string) =>
      stage().bot({
        client: { localAuth: { dataPath: '/bot/auth', clientId } },
        session: { store, backupStore },
      });
    const anna = botOf('a');
    await anna.logIn(ANNA);
    await wait(anna, 20_000);
    await anna.backUp('of Anna');
    await anna.stop();
    await rename();
    for (const one of [store, backupStore]) one.setDown(true);
    const renamed = botOf('b');
    await renamed.start();
    await wait(renamed, 20_000);
    expect(accountOf(renamed)).toEqual(['ready', ANNA]);
    for (const one of [store, backupStore]) one.setDown(false);
    await wait(renamed, HOUR_MS);
    const customer = botOf('a');
    await customer.start();
    expect(customer.state).toBe('awaiting_qr');
  });

  it('is told so also when it was not mounted then', async () => {
    const botOf = (clientId: string) =>
      stage().bot({
        client: { localAuth: { dataPath: '/bot/auth', clientId } },
        session: { backupPath: '/mnt/backup' },
      });
    const anna = botOf('a');
    await anna.logIn(ANNA);
    await wait(anna, 20_000);
    await anna.backUp('of Anna');
    await anna.stop();
    await rename();
    const mount = await stage().copyTree('/mnt/backup');
    await stage().remove('/mnt/backup');
    await stage().fs.promises.mkdir('/mnt/backup');
    const renamed = botOf('b');
    await renamed.start();
    await wait(renamed, 20_000);
    await renamed.stop();
    await mount.putAt('/mnt/backup');
    const again = botOf('b');
    await again.start();
    await again.stop();
    await stage().remove('/bot/session');
    const customer = botOf('a');
    await customer.start();
    expect(customer.state).toBe('awaiting_qr');
  });

  it('is told of a clear() at the next start, so that the start after that does not bring the login back', async () => {
    const newBot = () => stage().bot({ session: { backupPath: '/mnt/backup' } });
    const anna = newBot();
    await anna.logIn(ANNA);
    await wait(anna, 20_000);
    await anna.backUp('of Anna');
    const mount = await stage().copyTree('/mnt/backup');
    await stage().remove('/mnt/backup');
    await stage().fs.promises.mkdir('/mnt/backup');
    await anna.finish(anna.session.clear());
    await anna.stop();
    await mount.putAt('/mnt/backup');
    const mounted = newBot();
    await mounted.start();
    expect(mounted.state).toBe('awaiting_qr');
    await mounted.stop();
    await stage().remove('/bot');
    const next = newBot();
    await next.start();
    expect(next.state).toBe('awaiting_qr');
  });

  it('keeps what it knows of a later login, although a machine that could not ask it was ready with an older one', async () => {
    const backupStore = new MemoryStore({ clock: stage().clock });
    const newBot = () => stage().bot({ session: { backupStore } });
    const anna = newBot();
    await anna.logIn(ANNA);
    await wait(anna, 20_000);
    await anna.backUp('of Anna');
    await anna.stop();
    const machine = await stage().copyTree('/bot');
    await stage().remove('/bot');
    const other = newBot();
    await other.start();
    await other.finish(other.client.destroy());
    await stage().remove(other.client.profileDir);
    await wait(other, 3_000);
    await other.stop();
    const ben = newBot();
    await ben.logIn(BEN);
    await wait(ben, 20_000);
    await ben.backUp('of Ben');
    await ben.stop();
    await stage().remove('/bot');
    await machine.putAt('/bot');
    backupStore.setDown(true);
    const returned = newBot();
    await returned.start();
    backupStore.setDown(false);
    await wait(returned, HOUR_MS);
    await returned.stop();
    const again = newBot();
    await again.start();
    expect(accountOf(again)).toEqual(['ready', BEN]);
  });
});

describe('a store that takes its time', () => {
  const stage = useFakeStage();

  it('is not called unreachable because somebody who can do without it did not wait', async () => {
    const { clock, fs } = stage();
    const readdir = async (path: string, ...more: never[]) => {
      if (path.startsWith('/bot/session')) await sleep(clock, 60);
      return fs.promises.readdir(path, ...more);
    };
    const slow = { ...fs, promises: { ...fs.promises, readdir } } as typeof fs;
    const newBot = () => stage().bot({ session: { fs: slow } });
    const first = newBot();
    await first.logIn(ANNA);
    await first.save('of Anna');
    await first.stop();
    const again = newBot();
    await again.start();
    again.client.pupBrowser?.kill();
    await again.until('the loss', () => again.state !== 'ready');
    await again.untilState('ready');
    await again.save('later');
    expect([...first.warnings, ...again.warnings]).not.toContain('store-unreachable');
  });
});

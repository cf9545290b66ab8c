import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { Dice } from '../support/dice.js';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { LOCAL_STORAGE, useFakeStage } from '../support/fake-stage.js';

describe('the saves of a session that is ready', () => {
  const stage = useFakeStage();

  it('come first within 10 s of ready', async () => {
    const bot = stage().bot();
    await bot.logIn();
    await bot.until('the first save', () => bot.payloads('save:completed').length > 0, { limitMs: 10_000 });
  });

  it('come again as soon as Local Storage has reached the disk, now settled, with the first backup', async () => {
    const bot = stage().bot();
    await bot.logIn();
    await bot.until('the first save', () => bot.payloads('save:completed').length > 0, { limitMs: 10_000 });
    expect(bot.payloads('save:completed')[0]?.snapshot.settled).toBe(false);
    await commitLocalStorage(bot, 'committed');
    await bot.until('the second save', () => bot.payloads('save:completed').length > 1, { limitMs: 10_000 });
    expect(bot.payloads('save:completed')[1]?.snapshot.settled).toBe(true);
    await bot.until('the backup', () => bot.payloads('backup:completed').length > 0, { limitMs: 10_000 });
    expect(bot.payloads('backup:completed')[0]?.snapshot).toMatchObject({ kind: 'backup', settled: true });
  });

  it('count as settled 90 s after ready, whatever the disk says', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await stage().clock.advance(89_000);
    expect((await bot.save('early')).settled).toBe(false);
    await stage().clock.advance(1000);
    expect((await bot.save('late')).settled).toBe(true);
  });

  it('are settled at once where the login was on the disk before', async () => {
    await stage().loggedInOnce();
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    expect((await bot.save('again')).settled).toBe(true);
  });

  it('come every forceSaveIntervalMs, the backups every backupIntervalMs', async () => {
    await stage().loggedInOnce();
    const bot = stage().bot({ session: { forceSaveIntervalMs: 60_000, backupIntervalMs: 150_000 } });
    await bot.start();
    for (let minute = 0; minute < 5; minute++) {
      await bot.note(`minute ${minute}`);
      const end = stage().clock.monotonic() + 60_000;
      await bot.until('a minute', () => stage().clock.monotonic() >= end);
    }
    expect(bot.payloads('save:completed').length).toBeGreaterThanOrEqual(5);
    expect(bot.payloads('backup:completed').length).toBeGreaterThanOrEqual(2);
  });

  it('stop with the session, and no timer is left', async () => {
    const bot = stage().bot();
    await bot.logIn();
    await bot.stop();
    expect(stage().clock.pendingTimers).toBe(0);
  });

  it('are hot, and say what they hold', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    const snapshot = await bot.save('one');
    expect(snapshot).toMatchObject({
      kind: 'save',
      store: 'file-system',
      clientId: 'shop',
      run: 1,
      capture: 'hot',
      revoked: false,
      files: 6,
    });
    expect(bot.session.status().lastSave).toEqual(snapshot);
    expect(await bot.session.listSnapshots()).toEqual([snapshot]);
  });
});

describe('a save that is not taken', () => {
  const stage = useFakeStage();

  it.each(['forceSave', 'backup'] as const)('says so: unchanged (%s)', async (call) => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await bot.finish(bot.session[call]());
    expect(await bot.finish(bot.session[call]())).toEqual({ skipped: 'unchanged' });
    const name = call === 'forceSave' ? 'save:skipped' : 'backup:skipped';
    expect(bot.payloads(name)).toEqual([{ reason: 'unchanged' }]);
    expect(await bot.session.listSnapshots()).toHaveLength(1);
  });

  it.each(['forceSave', 'backup'] as const)('copies nothing when nothing changed (%s)', async (call) => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await bot.finish(bot.session[call]());
    const before = stage().fs.calls.length;
    await bot.finish(bot.session[call]());
    const written = stage()
      .fs.calls.slice(before)
      .filter(({ operation }) => /^(?:mkdir|link|copyFile|rename|handle\.write)/.test(operation));
    expect(written).toEqual([]);
  });

  it('says so: not-ready, before the start, with a QR, and after the stop', async () => {
    const bot = stage().bot({ session: BY_HAND });
    expect(await bot.finish(bot.session.forceSave())).toEqual({ skipped: 'not-ready' });
    await bot.start();
    expect(await bot.finish(bot.session.backup())).toEqual({ skipped: 'not-ready' });
    await bot.stop();
    expect(await bot.finish(bot.session.forceSave())).toEqual({ skipped: 'not-ready' });
    expect(await bot.session.listSnapshots()).toEqual([]);
  });

  it('says so: unsound; the good snapshot stays the newest', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    const good = await bot.save('good');
    const log = join(bot.client.profileDir, LOCAL_STORAGE, 'CURRENT');
    await stage().fs.promises.writeFile(log, 'garbage\n');
    expect(await bot.finish(bot.session.forceSave())).toEqual({ skipped: 'unsound' });
    expect(await bot.session.listSnapshots()).toEqual([good]);
  });

  it('says so: unsound, when half of the login has not reached the disk', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await stage().fs.promises.writeFile(join(bot.client.profileDir, LOCAL_STORAGE, '000003.log'), '');
    expect(await bot.finish(bot.session.forceSave())).toEqual({ skipped: 'unsound' });
    expect(await bot.session.listSnapshots()).toEqual([]);
  });

  it('says so: no-lease, when another took the session over while the process was suspended', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    stage().sleepMachine(60_000);
    await stage().takeOver();
    expect(await bot.finish(bot.session.forceSave())).toEqual({ skipped: 'no-lease' });
    expect(await bot.session.listSnapshots()).toEqual([]);
    await bot.untilState('stopped', { limitMs: 10_000 });
    expect(bot.payloads('lease:lost')).toEqual([{ reason: 'another process took the session over' }]);
  });

  it('is not listed when the process was suspended in the midst of it', async () => {
    const store = new MemoryStore();
    const bot = stage().bot({ session: { ...BY_HAND, store } });
    await bot.logIn();
    const put = store.put.bind(store);
    store.put = (key, ...rest) => {
      if (key.includes('/objects/')) stage().sleepMachine(60_000);
      return put(key, ...rest);
    };
    await expect(bot.finish(bot.session.forceSave())).rejects.toMatchObject({ code: 'STORE' });
    expect(await bot.session.listSnapshots()).toEqual([]);
    expect(bot.payloads('save:failed')).toMatchObject([{ error: { code: 'STORE' } }]);
  });

  it('is taken after a suspension that nobody used', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    stage().sleepMachine(60_000);
    expect(await bot.finish(bot.session.forceSave())).toHaveProperty('snapshot');
    expect(bot.payloads('lease:acquired')).toHaveLength(1);
    expect(bot.state).toBe('ready');
  });

  it('stops the session without a save when the lease is lost', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await stage().takeOver();
    await bot.untilState('stopped', { limitMs: 10_000 });
    expect(bot.payloads('lease:lost')).toEqual([{ reason: 'another process took the session over' }]);
    expect(bot.payloads('save:skipped')).toEqual([{ reason: 'no-lease' }]);
    expect(bot.payloads('save:completed')).toEqual([]);
    expect(bot.client.pupBrowser?.isConnected()).toBe(false);
  });

  it('says so: no-space, when the disk is full', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    const good = await bot.save('good');
    await bot.note('more');
    stage().fs.arm({ operation: 'handle.write', path: '/session/store', failOn: 1, errno: 'ENOSPC' });
    expect(await bot.finish(bot.session.forceSave())).toEqual({ skipped: 'no-space' });
    expect(bot.payloads('save:skipped')).toEqual([
      {
        reason: 'no-space',
        error: { code: 'ENOSPC', message: expect.stringMatching(/^the system answered ENOSPC( to \w+)?$/) },
        stores: ['file-system'],
      },
    ]);
    stage().fs.arm({});
    expect(await bot.session.listSnapshots()).toEqual([good]);
    expect(await bot.finish(bot.session.forceSave())).toHaveProperty('snapshot');
  });

  it('fails with save:failed when the store is down, and the next one works', async () => {
    const store = new MemoryStore();
    const bot = stage().bot({ session: { ...BY_HAND, store } });
    await bot.logIn();
    store.setDown(true);
    await expect(bot.finish(bot.session.forceSave())).rejects.toMatchObject({ code: 'STORE' });
    expect(bot.payloads('save:failed')).toMatchObject([{ error: { code: 'STORE' } }]);
    expect(bot.state).toBe('ready');
    store.setDown(false);
    expect(await bot.finish(bot.session.forceSave())).toHaveProperty('snapshot');
  });

  it('of a scheduled save that fails, only an event tells; the next one comes all the same', async () => {
    const store = new MemoryStore();
    const bot = stage().bot({ session: { store, backupIntervalMs: 0 } });
    await bot.logIn();
    store.setDown(true);
    await bot.until('the failure', () => bot.payloads('save:failed').length > 0);
    store.setDown(false);
    await bot.until('the next save', () => bot.payloads('save:completed').length > 0);
  });
});

describe('backups', () => {
  const stage = useFakeStage();

  it('go to every backup store', async () => {
    const backupStore = [new MemoryStore({ name: 'first' }), new MemoryStore({ name: 'second' })];
    const bot = stage().bot({ session: { ...BY_HAND, backupStore } });
    await bot.logIn();
    await bot.finish(bot.session.backup());
    const reached = bot.payloads('backup:completed').map(({ snapshot }) => snapshot.store);
    expect(reached.sort()).toEqual(['first', 'second']); // each in its own time
  });

  it('reach the other stores when one is down, and then reject', async () => {
    const [first, second] = [new MemoryStore({ name: 'first' }), new MemoryStore({ name: 'second' })];
    const bot = stage().bot({ session: { ...BY_HAND, backupStore: [first, second] } });
    await bot.logIn();
    first.setDown(true);
    await expect(bot.finish(bot.session.backup())).rejects.toMatchObject({ code: 'STORE' });
    expect(bot.payloads('backup:completed').map(({ snapshot }) => snapshot.store)).toEqual(['second']);
    expect(bot.payloads('backup:failed')).toHaveLength(1);
  });
});

describe('many sessions in one process', () => {
  const stage = useFakeStage();

  /** Who read its profile when, while two sessions were told to save at the same time. */
  async function readers(maxConcurrentCaptures: number): Promise<readonly string[]> {
    const bots = ['/one', '/two'].map((folder) =>
      stage().bot({ folder, session: { ...BY_HAND, maxConcurrentCaptures } }),
    );
    for (const bot of bots) await bot.logIn();
    const from = stage().fs.calls.length;
    await Promise.all(bots.map((bot) => bot.finish(bot.session.forceSave())));
    for (const bot of bots) expect(bot.payloads('save:completed')).toHaveLength(1);
    const read = stage()
      .fs.calls.slice(from)
      .filter(({ operation }) => operation === 'open');
    return read.flatMap(({ paths }) => /^\/(one|two)\/auth\/session-shop\//.exec(paths[0] ?? '')?.[1] ?? []);
  }

  it('capture at once as many as maxConcurrentCaptures says', async () => {
    const alone = await readers(1);
    expect(alone.lastIndexOf('one')).toBeLessThan(alone.indexOf('two'));
  });

  it('capture side by side where more may', async () => {
    const together = await readers(2);
    expect(together.lastIndexOf('one')).toBeGreaterThan(together.indexOf('two'));
  });
});

describe('the option compression', () => {
  const stage = useFakeStage();

  it('decides how the zips of the backups are packed', async () => {
    const words = ['session', 'profile', 'snapshot', 'store', 'lease', 'backup', 'restore', 'verify'];
    const random = new Dice(7).next;
    const text = Array.from({ length: 2000 }, () => words[Math.floor(random() * words.length)]).join(' ');
    const sizes: number[] = [];
    for (const compression of ['fast', 'small'] as const) {
      const bot = stage().bot({ folder: `/${compression}`, session: { ...BY_HAND, compression } });
      await bot.logIn();
      sizes.push((await bot.backUp(text)).storedBytes);
    }
    const [fast = 0, small = 0] = sizes;
    expect(small).toBeLessThan(fast * 0.95);
  });
});

describe('retention', () => {
  const stage = useFakeStage();

  it('keeps what it is told to, the newest first, and says what went', async () => {
    const bot = stage().bot({ session: { ...BY_HAND, retention: { saves: { keepLast: 2 } } } });
    await bot.logIn();
    const taken: string[] = [];
    for (let round = 0; round < 4; round++) {
      taken.push((await bot.save(`round ${round}`)).id);
      await stage().clock.advance(1000);
    }
    const kept = (await bot.session.listSnapshots()).map(({ id }) => id);
    expect(kept).toEqual(taken.slice(2).reverse());
    expect(bot.payloads('snapshots:pruned').flatMap(({ removed }) => removed)).toEqual(taken.slice(0, 2));
  });

  it('never removes the last good one, whatever the bound', async () => {
    const bot = stage().bot({ session: { ...BY_HAND, retention: { maxTotalMb: 0.000_001 } } });
    await bot.logIn();
    for (let round = 0; round < 3; round++) {
      await bot.save(`round ${round}`);
      await stage().clock.advance(1000);
    }
    expect((await bot.session.listSnapshots()).length).toBeGreaterThanOrEqual(1);
  });

  it('that fails is a warning: the new snapshot stands', async () => {
    const store = new MemoryStore();
    const deleteMany = store.deleteMany.bind(store);
    let isReadOnly = false;
    store.deleteMany = async (...given) => {
      if (isReadOnly) throw new Error('read only');
      return deleteMany(...given);
    };
    const bot = stage().bot({ session: { ...BY_HAND, store, retention: { saves: { keepLast: 1 } } } });
    await bot.logIn();
    await bot.save('one');
    await stage().clock.advance(1000);
    isReadOnly = true;
    const snapshot = await bot.save('two');
    expect(bot.warnings).toContain('retention-failed');
    expect((await bot.session.listSnapshots())[0]?.id).toBe(snapshot.id);
  });
});

describe('saves and the calls beside them', () => {
  const stage = useFakeStage();

  it('joins a forceSave() that runs', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    const [first, second] = await bot.finish(Promise.all([bot.session.forceSave(), bot.session.forceSave()]));
    expect(first).toHaveProperty('snapshot');
    expect(second).toBe(first);
    expect(bot.payloads('save:completed')).toHaveLength(1);
  });

  it('never lets forceSave(), backup() and destroy() interleave', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    const steps: string[] = [];
    const close = bot.client.authStrategy.destroy.bind(bot.client.authStrategy);
    bot.client.authStrategy.destroy = async () => {
      steps.push('closed');
      return close();
    };
    for (const name of ['save:completed', 'save:skipped', 'backup:completed', 'backup:skipped'] as const) {
      bot.session.on(name, () => steps.push(name));
    }
    const calls = [bot.session.forceSave(), bot.session.backup(), bot.session.destroy()];
    await bot.finish(Promise.all(calls));
    // The stop comes before they have taken anything: they say so, and the final save holds it all.
    expect(steps).toEqual(['save:skipped', 'backup:skipped', 'closed', 'save:completed']);
    expect(bot.state).toBe('stopped');
  });

  it('a stop does not wait for ever for a store that hangs', async () => {
    const store = new MemoryStore();
    const bot = stage().bot({ session: { ...BY_HAND, store } });
    await bot.logIn();
    store.put = () => new Promise(() => undefined);
    const save = bot.session.forceSave();
    const outcome = save.catch((error: { code: string }) => error.code);
    await bot.until('the save to hang', () => true);
    const stopped = bot.session.destroy();
    expect(await bot.finish(outcome)).toBe('CLOSED');
    expect(bot.payloads('save:failed')).toMatchObject([{ error: { code: 'CLOSED' } }]);
    store.put = MemoryStore.prototype.put;
    await bot.finish(stopped);
    expect(bot.state).toBe('stopped');
  });
});

describe('the final save of destroy()', () => {
  const stage = useFakeStage();

  it('is cold and settled', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await bot.stop();
    expect(await bot.session.listSnapshots()).toMatchObject([{ capture: 'cold', settled: true }]);
  });

  it('is not settled when the browser did not close by itself', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    if (bot.client.pupBrowser) bot.client.pupBrowser.hangs = true;
    await bot.stop();
    expect(await bot.session.listSnapshots()).toMatchObject([{ capture: 'cold', settled: false }]);
    bot.client.pupBrowser?.kill();
  });

  it('does not come during awaiting_qr', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    await bot.stop();
    expect(await bot.session.listSnapshots()).toEqual([]);
    expect(bot.payloads('save:skipped')).toEqual([]);
  });

  it('that fails does not keep the session from its stop', async () => {
    const store = new MemoryStore();
    const bot = stage().bot({ session: { ...BY_HAND, store } });
    await bot.logIn();
    store.setDown(true);
    await bot.stop();
    expect(bot.state).toBe('stopped');
    expect(bot.payloads('save:failed')).toHaveLength(1);
  });
});

describe('the look at the live profile', () => {
  const stage = useFakeStage();

  it('announces damage, and leaves the bot running', async () => {
    const bot = stage().bot({ session: { ...BY_HAND, sessionValidationIntervalMs: 60_000 } });
    await bot.logIn();
    await stage().damageProfile(bot);
    await bot.until('the damage', () => bot.payloads('corruption:detected').length > 0);
    expect(bot.payloads('corruption:detected')[0]).toMatchObject({ where: 'profile' });
    expect(bot.state).toBe('ready');
  });
});

/** Chromium commits Local Storage: the log gets a new time stamp. */
async function commitLocalStorage(bot: FakeBot, note: string): Promise<void> {
  await bot.note(note);
  const { clock, fs } = bot.stage;
  const later = new Date(clock.now());
  await fs.promises.utimes(join(bot.client.profileDir, LOCAL_STORAGE, '000003.log'), later, later);
}

import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { PersistentSession } from '../../src/index.js';
import { useFakeStage } from '../support/fake-stage.js';

describe('initialize()', () => {
  const stage = useFakeStage();

  it('resolves at ready where there is a login', async () => {
    await stage().loggedInOnce();
    const bot = stage().bot();
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(bot.codes).toEqual([]);
    expect(bot.states).toEqual(['idle', 'restoring', 'starting', 'authenticated', 'ready']);
  });

  it('resolves at the first QR that the bot got', async () => {
    const bot = stage().bot();
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
    expect(bot.codes).toEqual(['code-1']);
  });

  it('tells late listeners what waits to be scanned, and only as long as it does', async () => {
    const bot = stage().bot();
    expect(bot.session.pairing).toBeUndefined();
    await bot.start();
    const receivedAt = expect.stringMatching(/^\d{4}-.*Z$/);
    expect(bot.session.pairing).toEqual({ kind: 'qr', value: 'code-1', receivedAt });
    bot.client.showQr();
    expect(bot.session.pairing).toMatchObject({ value: bot.codes.at(-1) });
    await bot.client.scan();
    expect(bot.session.pairing).toBeUndefined();
    await bot.untilState('ready');
    expect(JSON.stringify(bot.session.status())).not.toContain('code-1');
    await bot.stop();
    expect(bot.session.pairing).toBeUndefined();
  });

  it('resolves at the first pairing code that the bot got', async () => {
    const bot = stage().bot({ client: { pairWithPhoneNumber: '4915100000001' } });
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
    expect(bot.heard).toEqual([['code', 'code-1']]);
  });

  it('is joined by further calls while it runs', async () => {
    const bot = stage().bot();
    const calls = [bot.session.initialize(), bot.session.initialize(), bot.client.initialize()];
    await bot.finish(Promise.all(calls));
    await bot.start();
    expect(bot.client.launches).toBe(1);
  });

  it('starts afresh after a stop', async () => {
    const bot = await stage().loggedInOnce();
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(bot.client.launches).toBe(2);
  });

  it('waits for a stop that is under way, then starts', async () => {
    const bot = await stage().loggedInOnce();
    await bot.start();
    const stopped = bot.session.destroy();
    await bot.finish(Promise.all([stopped, bot.session.initialize()]));
    expect(bot.state).toBe('ready');
  });

  it('takes the lease and says so', async () => {
    const bot = stage().bot();
    await bot.start();
    expect(bot.payloads('lease:acquired')).toMatchObject([{ generation: 1 }]);
    expect(bot.session.status().lease).toEqual({ held: true, generation: 1 });
  });

  it('starts a lineage with every pairing, and counts its runs', async () => {
    const bot = await stage().loggedInOnce();
    const { lineage } = bot.session.status();
    const next = stage().bot();
    await next.start();
    expect(next.session.status()).toMatchObject({ lineage, run: 2 });
  });

  it('starts a new lineage, with a warning, when another account is logged in than before', async () => {
    const bot = await stage().loggedInOnce();
    const { lineage } = bot.session.status();
    await bot.client.writeLogin(stage().whatsApp.pair('4915100000009@c.us'));
    const next = stage().bot();
    await next.start();
    expect(next.warnings).toContain('account-changed');
    expect(next.session.status().run).toBe(1);
    expect(next.session.status().lineage).not.toBe(lineage);
  });

  it('goes on with the lineage of the account where the record was lost', async () => {
    const bot = await stage().loggedInOnce();
    const { lineage } = bot.session.status();
    await stage().remove('/bot/auth/.session-shop.persistent');
    const next = stage().bot();
    await next.start();
    expect(next.session.status()).toMatchObject({ lineage, run: 2 });
  });

  describe('with another owner', () => {
    it('rejects at once with LeaseHeldError, and leaves nothing', async () => {
      const owner = await stage().loggedInOnce();
      await owner.start();
      const second = stage().bot({ client: { localAuth: { dataPath: '/elsewhere', clientId: 'shop' } } });
      await expect(second.start({ limitMs: 1000 })).rejects.toMatchObject({ code: 'LEASE_HELD' });
      expect(second.state).toBe('idle');
      expect(second.client.launches).toBe(0);
      const left = await stage().filesBelow('/elsewhere');
      expect(left.filter((path) => !path.endsWith('.lease'))).toEqual([]); // those say that they are released
      await owner.stop();
      await stage().remove('/bot/auth'); // else its snapshots are refused to another profile
      await second.start();
      expect(second.state).toBe('awaiting_qr');
    });

    it('rejects at once with ProfileLockedError when another session of the process has the profile', async () => {
      const owner = await stage().loggedInOnce();
      await owner.start();
      const second = stage().bot({ session: { sessionPath: '/other/session', backupPath: '/other/backup' } });
      await expect(second.start({ limitMs: 1000 })).rejects.toMatchObject({
        code: 'PROFILE_LOCKED',
        pid: process.pid,
      });
      expect(second.state).toBe('idle');
      expect(owner.state).toBe('ready');
    });

    it('rejects at once with ProfileLockedError when a live process has the profile, and gives its lease back', async () => {
      const bot = await stage().loggedInOnce();
      const lock = `${bot.client.profileDir}/SingletonLock`;
      const { promises } = stage().fs as unknown as { promises: typeof import('node:fs').promises };
      await promises.symlink(`${hostname()}-${process.pid}`, lock);
      const next = stage().bot();
      await expect(next.start({ limitMs: 1000 })).rejects.toMatchObject({
        code: 'PROFILE_LOCKED',
        pid: process.pid,
      });
      expect(next.state).toBe('stopped');
      expect(next.session.status().lease.held).toBe(false);
      await promises.unlink(lock);
      await next.start();
      expect(next.state).toBe('ready');
    });
  });

  describe('with destroy() in between', () => {
    it('rejects with ClosedError at every stage, and ends in stopped', async () => {
      await stage().loggedInOnce();
      const bot = stage().bot();
      // Each round gives the start one more turn of the event loop before it is stopped.
      let turns = 0;
      for (; turns < 500; turns++) {
        const start = bot.session.initialize();
        start.catch(() => undefined);
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
        const stopped = bot.session.destroy();
        const outcome = await bot.finish(
          start.then(
            () => 'started',
            (error: { code?: string }) => error.code,
          ),
        );
        await bot.finish(stopped);
        expect(bot.state).toBe('stopped');
        expect(bot.session.status().lease.held).toBe(false);
        if (outcome === 'started') break;
        expect(outcome).toBe('CLOSED');
      }
      expect(turns).toBeGreaterThan(10);
      await bot.start();
      expect(bot.state).toBe('ready');
    });

    it('rejects with ClosedError when it still waits for an earlier stop: the last word is destroy()', async () => {
      const bot = await stage().loggedInOnce();
      await bot.start();
      const stops = [bot.session.destroy()];
      const start = bot.session.initialize();
      start.catch(() => undefined);
      stops.push(bot.session.destroy());
      await bot.finish(Promise.all(stops));
      await expect(start).rejects.toMatchObject({ code: 'CLOSED' });
      expect(bot.state).toBe('stopped');
    });

    it('rejects with ClosedError while it waits for its next try', async () => {
      const bot = stage().bot();
      stage().whatsApp.offline = true;
      const start = bot.session.initialize();
      start.catch(() => undefined);
      await bot.untilState('reconnecting');
      const stopped = bot.session.destroy();
      await expect(start).rejects.toMatchObject({ code: 'CLOSED' });
      await bot.finish(stopped);
      expect(stage().clock.pendingTimers).toBe(0);
    });
  });

  it('is disposed of by `await using`', async () => {
    const bot = stage().bot();
    await bot.start();
    await bot.finish(bot.session[Symbol.asyncDispose]());
    expect(bot.state).toBe('stopped');
    expect(bot.session).toBeInstanceOf(PersistentSession);
  });
});

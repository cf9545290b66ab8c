import { describe, expect, it } from 'vitest';
import type { PersistentSessionOptions } from '../../src/index.js';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';
import { type Illness, IllStore } from '../support/ill-store.js';

const EXACT = { stepMs: 50 };

type Role = 'primary store' | 'one backup store of two';
const CASES: readonly (readonly [Illness, Role])[] = (
  ['primary store', 'one backup store of two'] as const
).flatMap((role) => (['hangs', 'slow', 'refuses'] as const).map((illness) => [illness, role] as const));

describe.each(CASES)('a store that %s, as the %s', (illness, role) => {
  const stage = useFakeStage();

  function stores(): {
    readonly ill: IllStore;
    readonly well: IllStore;
    readonly options: PersistentSessionOptions;
  } {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => new IllStore(name, stage().clock)) as [
      IllStore,
      IllStore,
      IllStore,
    ];
    const options = { ...BY_HAND, store: a, backupStore: [b, c] };
    return role === 'primary store' ? { ill: a, well: b, options } : { ill: b, well: a, options };
  }

  /** How long `work` took on the manual clock; what it came to does not matter. */
  async function took(bot: FakeBot, work: Promise<unknown>): Promise<number> {
    const from = stage().clock.monotonic();
    let at = Number.NaN;
    const note = () => {
      at = stage().clock.monotonic();
    };
    const noted = work.then(note, note);
    await bot.finish(noted, EXACT);
    return at - from;
  }

  const copyInTheWell = (bot: FakeBot) =>
    role === 'primary store' ? bot.session.backup() : bot.session.forceSave();

  /** A bot with a login, saved everywhere; its process has ended. */
  async function paired(options: PersistentSessionOptions): Promise<void> {
    const bot = await stage().loggedInOnce({ session: options });
    expect(bot.state).toBe('stopped');
  }

  it('delays a sound start by 5 s at most', async () => {
    const { ill, options } = stores();
    await paired(options);
    const well = stage().bot({ session: options });
    const usual = await took(well, well.session.initialize());
    await well.stop();
    ill.fall(illness);
    const bot = stage().bot({ session: options });
    expect(await took(bot, bot.session.initialize())).toBeLessThanOrEqual(usual + 5000);
    expect(bot.state).toBe('ready');
  });

  it.each(['from the start', 'later'])(
    '%s: delays a copy into a healthy store by 100 ms at most',
    async (when) => {
      const { ill, options } = stores();
      await paired(options);
      const bot = stage().bot({ session: options });
      if (when === 'from the start') ill.fall(illness);
      await bot.start();
      await stage().clock.advance(3000);
      if (when === 'later') ill.fall(illness);
      for (const note of ['first', 'second']) {
        await bot.note(note);
        const events = bot.events.length;
        const ms = await took(bot, copyInTheWell(bot));
        const told = bot.events.slice(events).map(({ name }) => name);
        if (role === 'primary store') expect(told).toContain('backup:completed');
        else {
          expect(ms).toBeLessThanOrEqual(100);
          expect(told).toContain('save:completed');
        }
      }
    },
  );

  it('is no matter for a save while a backup waits for it', async () => {
    const { ill, options } = stores();
    await paired(options);
    const bot = stage().bot({ session: options });
    await bot.start();
    await stage().clock.advance(3000);
    ill.fall(illness);
    await bot.note('changed');
    const [into, other] =
      role === 'primary store'
        ? [bot.session.forceSave(), () => bot.session.backup()]
        : [bot.session.backup(), () => bot.session.forceSave()];
    into.catch(() => undefined);
    expect(await took(bot, other())).toBeLessThanOrEqual(100);
  });

  it.each(['ready', 'while a copy goes on', 'while it starts'])(
    'lets destroy() end within 10 s: %s',
    async (when) => {
      const { ill, options } = stores();
      await paired(options);
      const bot = stage().bot({ session: options });
      if (when === 'while it starts') {
        ill.fall(illness);
        const starting = bot.session.initialize().catch(() => undefined);
        await stage().clock.advance(1000);
        expect(await took(bot, bot.session.destroy())).toBeLessThanOrEqual(10_000);
        await starting;
        return;
      }
      await bot.start();
      await stage().clock.advance(3000);
      ill.fall(illness);
      await bot.note('changed');
      if (when === 'while a copy goes on') {
        for (const work of [bot.session.backup(), bot.session.forceSave()]) work.catch(() => undefined);
        await stage().clock.advance(1000);
      }
      expect(await took(bot, bot.session.destroy())).toBeLessThanOrEqual(10_000);
      expect(bot.state).toBe('stopped');
    },
  );

  it.skipIf(illness === 'slow')('is named by the health within 30 s, and catches up afterwards', async () => {
    const { ill, options } = stores();
    await paired(options);
    const bot = stage().bot({
      session: {
        ...options,
        healthCheckIntervalMs: 15_000,
        forceSaveIntervalMs: 120_000,
        backupIntervalMs: 300_000,
      },
    });
    await bot.start();
    await stage().clock.advance(120_000);
    ill.fall(illness);
    const since = stage().clock.monotonic();
    const naming = () =>
      bot
        .payloads('health:checked')
        .at(-1)
        ?.report.issues.filter(({ code }) => code.endsWith('store-unreachable')) ?? [];
    await bot.until('the name in the health', () => naming().length > 0, { limitMs: 30_000 });
    expect(naming()[0]?.message.en).toContain(ill.name);
    expect(stage().clock.monotonic() - since).toBeLessThanOrEqual(30_000);
    await bot.note('changed while it was ill');
    await bot.until('ten minutes', () => stage().clock.monotonic() - since >= 600_000);
    expect(bot.state).toBe('ready');
    ill.recover();
    await bot.until('fifteen minutes', () => stage().clock.monotonic() - since >= 1_020_000);
    const snapshots = await bot.finish(bot.session.listSnapshots());
    const changed = snapshots.filter(({ store }) => store === ill.name);
    expect(Math.max(...changed.map(({ createdAt }) => Date.parse(createdAt)))).toBeGreaterThan(
      stage().clock.now() - 1_020_000,
    );
    await bot.until('the all-clear', () => naming().length === 0, { limitMs: 120_000 });
  });

  it('does not block what another store holds, where the profile is gone', async () => {
    const { ill, options } = stores();
    const first = stage().bot({ session: options });
    await first.logIn();
    await first.backUp('in all backup stores');
    await first.stop();
    ill.fall(illness);
    await stage().remove('/bot/auth');
    const bot = stage().bot({ session: options });
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(bot.codes).toEqual([]);
  });

  it.skipIf(illness === 'slow')(
    'bounds listSnapshots(), verify(), prune() and clear(), and is named',
    async () => {
      const { ill, options } = stores();
      await paired(options);
      const bot = stage().bot({ session: options });
      await bot.start();
      await bot.finish(bot.session.backup());
      ill.fall(illness);
      const named = () =>
        bot.payloads('warning').filter(({ message }) => message.includes(` ${ill.name}`)).length;
      expect(await took(bot, bot.session.listSnapshots())).toBeLessThanOrEqual(5000);
      expect(named()).toBeGreaterThan(0);
      const verifying = bot.session.verify();
      expect(await took(bot, verifying)).toBeLessThanOrEqual(10_000);
      expect((await verifying).sound.length).toBeGreaterThan(0);
      expect(await took(bot, bot.session.prune())).toBeLessThanOrEqual(10_000);
      const clearing = bot.session.clear();
      expect(await took(bot, clearing)).toBeLessThanOrEqual(20_000);
      await expect(clearing).rejects.toThrow(ill.name);
    },
  );
});

describe('a folder of backups that hangs', () => {
  const stage = useFakeStage();

  it('delays a sound start by 5 s at most, is named, and keeps no other copy from its place', async () => {
    const session = { ...BY_HAND, healthCheckIntervalMs: 15_000 };
    await stage().loggedInOnce({ session });
    const { promises } = stage().fs;
    const hangs = new Proxy(promises, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]) =>
          String(given[0]).startsWith('/bot/backup')
            ? new Promise(() => undefined)
            : Reflect.apply(value, target, given);
      },
    });
    const fs = { ...stage().fs, promises: hangs };
    const bot = stage().bot({ session: { ...session, fs } });
    const from = stage().clock.monotonic();
    await bot.finish(bot.session.initialize(), EXACT);
    expect(stage().clock.monotonic() - from).toBeLessThanOrEqual(5000);
    await bot.until('the name in the health', () =>
      bot
        .payloads('health:checked')
        .some(({ report }) => report.issues.some(({ message }) => message.en.includes('backup-dir'))),
    );
    expect(stage().clock.monotonic() - from).toBeLessThanOrEqual(35_000);
    expect(await bot.save('all the same')).toMatchObject({ kind: 'save' });
    const stopping = stage().clock.monotonic();
    await bot.finish(bot.session.destroy(), EXACT);
    expect(stage().clock.monotonic() - stopping).toBeLessThanOrEqual(10_000);
  });
});

import { describe, expect, it } from 'vitest';
import { describeError } from '../../src/errors.js';
import { isSessionError, type SessionEventName } from '../../src/index.js';
import type { SessionStore } from '../../src/stores/session-store.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { Dice } from '../support/dice.js';
import { useFakeStage } from '../support/fake-stage.js';
import { rejections } from '../support/rejections.js';

/** A run that goes on for ever would hang the test: after so many calls the listener gives in. */
const ENOUGH = 50;

describe('one function on several events', () => {
  const stage = useFakeStage();

  it.each<[string, SessionEventName[]]>([
    ['`warning` first', ['warning', 'state:changed', 'lease:acquired']],
    ['`warning` last', ['state:changed', 'lease:acquired', 'warning']],
  ])(
    'that throws is reported by the event it failed at, and never for a report (%s)',
    async (_name, events) => {
      const bot = stage().bot();
      let calls = 0;
      const listener = () => {
        if (++calls < ENOUGH) throw new Error('always');
      };
      for (const event of events) bot.session.on(event, listener);
      await bot.start();
      const failures = bot.payloads('warning').filter(({ code }) => code === 'listener-failed');
      const told = bot.payloads('state:changed').length + bot.payloads('lease:acquired').length;
      expect(failures).toHaveLength(told);
      for (const { message } of failures)
        expect(message).toMatch(/^a listener of (state:changed|lease:acquired) failed/);
      expect(calls).toBeLessThan(ENOUGH);
    },
  );

  it('that rejects ends neither the process nor in a loop', async () => {
    const bot = stage().bot();
    const heard = rejections();
    let calls = 0;
    const listener = async () => {
      if (++calls < ENOUGH) throw new Error('always');
    };
    for (const event of ['warning', 'state:changed'] as const) bot.session.on(event, listener);
    await bot.start();
    expect(await heard()).toEqual([]);
    expect(calls).toBeLessThan(ENOUGH);
    expect(bot.warnings).toContain('listener-failed');
  });

  it('is let go of by the event that was named, and stays on the others', async () => {
    const bot = stage().bot();
    const heard: unknown[] = [];
    const listener = (payload: object) => void heard.push(...Object.keys(payload));
    bot.session.on('warning', listener);
    bot.session.on('state:changed', listener);
    bot.session.off('state:changed', listener);
    bot.session.emit('warning', { code: 'storage', message: 'x' });
    bot.session.emit('state:changed', { from: 'idle', to: 'starting' });
    expect(heard).toEqual(['code', 'message']);
  });

  it('that fails while a failure is being reported is logged, and not told of again', () => {
    const bot = stage().bot();
    let calls = 0;
    // Each tells the other: without a guard this has no end.
    bot.session.on('session:cleared', () => {
      if (++calls < ENOUGH) throw new Error('always');
    });
    bot.session.on('warning', () => void bot.session.emit('session:cleared', { snapshots: 0 }));
    bot.session.emit('session:cleared', { snapshots: 0 });
    expect(calls).toBe(2);
  });
});

describe('the health of a session', () => {
  const stage = useFakeStage();

  it('goes on after a first check over callbacks that fail', async () => {
    const fail = () => {
      throw new Error('the logger is gone');
    };
    let isBroken = true;
    const clock = stage().clock;
    const now = clock.now.bind(clock);
    clock.now = () => (isBroken ? fail() : now());
    const bot = stage().bot({ session: { logger: { debug: fail, info: fail, warn: fail, error: fail } } });
    await bot.finish(bot.session.checkHealth());
    isBroken = false;
    await bot.start();
    const first = bot.payloads('health:checked').length;
    expect((await bot.finish(bot.session.checkHealth())).checkedAt).toBeDefined();
    await bot.until('two more checks', () => bot.payloads('health:checked').length >= first + 3);
  });
});

/** How often each callback fails, and how. */
type Failure = () => unknown;

describe('callbacks that fail now and then', () => {
  const stage = useFakeStage();

  it.each(seeds())('end neither the process nor the health, nor cost the login (seed %i)', async (seed) => {
    const dice = new Dice(seed).next;
    const heard = rejections();
    let isCalm = false;
    // A first start asks the stores for a login, and does not go on without their word.
    let areStoresUp = true;
    const sometimes = (share: number, failures: readonly Failure[], otherwise: Failure): unknown => {
      if (isCalm || dice() >= share) return otherwise();
      return failures[Math.floor(dice() * failures.length)]?.();
    };
    const storeFails = (share: number, failures: readonly Failure[], otherwise: Failure) =>
      areStoresUp ? otherwise() : sometimes(share, failures, otherwise);
    const error = () => new Error('a callback of the bot');
    const throws: Failure = () => {
      throw error();
    };
    const odd: Failure = () => {
      throw Object.create(null);
    };
    const rejects: Failure = () => Promise.reject(error());
    const rubbish =
      (value: unknown): Failure =>
      () =>
        value;

    const line = () => sometimes(0.5, [throws, odd, rejects], rubbish(undefined));
    const { clock } = stage();
    const asClock = {
      now: () => sometimes(0.2, [throws, rubbish(Number.NaN), rubbish('12')], () => clock.now()) as number,
      monotonic: () => sometimes(0.2, [throws, rubbish(undefined)], () => clock.monotonic()) as number,
      setTimeout: (callback: () => void, delayMs: number) => clock.setTimeout(callback, delayMs),
      clearTimeout: (handle: unknown) => void sometimes(0.2, [throws], () => clock.clearTimeout(handle)),
    };
    const bot = stage().bot({
      session: {
        logger: { debug: line, info: line, warn: line, error: line },
        random: () =>
          sometimes(0.5, [throws, rubbish(Number.NaN), rubbish(1), rubbish('0.1')], dice) as number,
        clock: asClock,
        store: faultyStore(storeFails, [throws, odd, rejects, rubbish(undefined), rubbish(7)]),
        backupStore: faultyStore(storeFails, [throws, odd, rejects, rubbish(null), rubbish({})]),
        forceSaveIntervalMs: 20_000,
        backupIntervalMs: 30_000,
        healthCheckIntervalMs: 5000,
      },
    });
    const listener = () => sometimes(0.5, [throws, odd, rejects], rubbish(undefined)) as undefined;
    for (const event of ['warning', 'state:changed', 'health:checked', 'save:failed'] as const) {
      bot.session.on(event, listener);
    }
    await bot.logIn();
    areStoresUp = false;
    for (let round = 0; round < 10; round++) {
      await clock.advance(15_000);
      for (const call of [
        () => bot.session.forceSave(),
        () => bot.session.verify(),
        () => bot.session.listSnapshots(),
      ]) {
        const failure = await bot.finish(
          call().then(
            () => undefined,
            (reason: unknown) => reason,
          ),
        );
        if (failure !== undefined) expect(isSessionError(failure), describeError(failure).message).toBe(true);
      }
      expect((await bot.finish(bot.session.checkHealth())).score).toBeGreaterThanOrEqual(0);
    }
    isCalm = true;
    const checks = bot.payloads('health:checked').length;
    await bot.until('a timed check', () => bot.payloads('health:checked').length > checks);
    expect(bot.state).toBe('ready');
    expect(bot.codes).toHaveLength(1);
    await bot.stop();
    expect(await heard()).toEqual([]);
  });
});

/** Every method may fail before, or instead of, its work. */
function faultyStore(
  sometimes: (share: number, failures: readonly Failure[], otherwise: Failure) => unknown,
  failures: readonly Failure[],
): SessionStore {
  const store = new MemoryStore();
  const may = (work: Failure) => sometimes(0.15, failures, work);
  const faulty = {
    name: 'faulty',
    capabilities: store.capabilities,
    put: (...args: Parameters<SessionStore['put']>) => may(() => store.put(...args)),
    get: (...args: Parameters<SessionStore['get']>) => may(() => store.get(...args)),
    head: (...args: Parameters<SessionStore['head']>) => may(() => store.head(...args)),
    list: (...args: Parameters<SessionStore['list']>) => may(() => store.list(...args)),
    delete: (...args: Parameters<SessionStore['delete']>) => may(() => store.delete(...args)),
  };
  return faulty as SessionStore;
}

/** Fixed ones, and one of the day, which the name of the test prints. */
function seeds(): readonly number[] {
  return [1, 2, 3, Math.floor(Math.random() * 2 ** 31)];
}

import { describe, expect, it } from 'vitest';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';
import { HangingDisk } from '../support/hanging-disk.js';

/** Longer than any deadline of a call, ms. */
const LIMIT_MS = 300_000;

const CALLS: Readonly<Record<string, (bot: FakeBot) => Promise<unknown>>> = {
  forceSave: ({ session }) => session.forceSave(),
  backup: ({ session }) => session.backup(),
  verify: ({ session }) => session.verify(),
  listSnapshots: ({ session }) => session.listSnapshots(),
  prune: ({ session }) => session.prune(),
  restore: ({ session }) => session.restore(),
  clear: ({ session }) => session.clear(),
  destroy: ({ session }) => session.destroy(),
};

describe.each(['/bot/session', '/bot/backup', '/bot/auth'])('while %s hangs', (place) => {
  const stage = useFakeStage();

  async function prepared(disk: HangingDisk): Promise<FakeBot> {
    const bot = stage().bot({ session: { fs: disk.fs, healthCheckIntervalMs: 0 } });
    await bot.logIn();
    await bot.save('one');
    await bot.backUp('two');
    return bot;
  }

  /** What became of the call. */
  async function outcomeOf(bot: FakeBot, call: Promise<unknown>): Promise<unknown> {
    let what: unknown = 'pending';
    call.then(
      (value) => {
        what = { value };
      },
      (error: unknown) => {
        what = error;
      },
    );
    await bot
      .until('the end of the call', () => what !== 'pending', { limitMs: LIMIT_MS, stepMs: 5000 })
      .catch(() => undefined);
    return what;
  }

  function expectNamed(what: unknown): void {
    expect(what).not.toBe('pending');
    if (!(what instanceof Error)) return;
    expect(what).toMatchObject({ code: expect.stringMatching(/^(STORE|TIMEOUT)$/), retryable: true });
    expect(what.message).toContain(place);
  }

  it.each(
    Object.keys(CALLS).flatMap((name) => [
      [name, 'ready'],
      [name, 'stopped'],
    ]),
  )('%s() of a session that is %s settles, and a failure names the place', async (name, state) => {
    const disk = new HangingDisk(stage().fs, place);
    const bot = await prepared(disk);
    if (state === 'stopped') await bot.stop();
    await bot.note('more');
    disk.goAway();
    const what = await outcomeOf(bot, CALLS[name]?.(bot) ?? Promise.reject());
    disk.comeBack();
    expectNamed(what);
  });

  it.each(
    ['backup', 'verify', 'prune', 'restore'].flatMap((name) => [
      [name, 2],
      [name, 12],
      [name, 40],
    ]) as [string, number][],
  )('%s() settles also where that begins after %i calls', async (name, calls) => {
    const disk = new HangingDisk(stage().fs, place);
    const bot = await prepared(disk);
    await bot.note('more');
    disk.goAwayAfter(calls);
    const what = await outcomeOf(bot, CALLS[name]?.(bot) ?? Promise.reject());
    disk.comeBack();
    expectNamed(what);
  });
});

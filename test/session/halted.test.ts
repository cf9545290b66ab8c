import { describe, expect, it } from 'vitest';
import { writeFakeProfile } from '../../src/testing/fake-profile.js';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const outcomeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error: { code?: string }) => `rejected: ${error.code ?? String(error)}`,
  );

async function microtasks(count: number): Promise<void> {
  for (let done = 0; done < count; done++) await Promise.resolve();
}

describe('a new Client with the same id that starts while a call has halted the old session', () => {
  const stage = useFakeStage();
  const newBot = () => stage().bot({ session: BY_HAND });

  async function pairedBot(): Promise<FakeBot> {
    const bot = newBot();
    await bot.logIn('anna@c.us');
    await bot.save('first');
    await bot.backUp('second');
    return bot;
  }

  const ways: [string, (bot: FakeBot) => Promise<unknown>][] = [
    ['clear()', (bot) => bot.session.clear()],
    ['clear({ logout: true })', (bot) => bot.session.clear({ logout: true })],
    [
      'clear() and a client.destroy() beside it',
      (bot) => {
        const clearing = bot.session.clear();
        void bot.client.destroy();
        return clearing;
      },
    ],
    [
      'client.destroy() and a clear() beside it',
      (bot) => {
        void bot.client.destroy();
        return bot.session.clear();
      },
    ],
  ];

  it.each(ways)('waits for %s, and shows a QR', async (_name, clear) => {
    for (const moment of [1, 40, 200]) {
      const old = await pairedBot();
      const clearing = outcomeOf(clear(old));
      await microtasks(moment);
      const next = newBot();
      await next.start();
      const restored = next.payloads('restore:started');
      expect([await old.finish(clearing), next.state, restored]).toEqual(['ok', 'awaiting_qr', []]);
      expect([old.state, old.session.status().lease.held]).toEqual(['idle', false]);
      await next.stop();
    }
  });

  it('waits for a clear() that is asked for in any moment of a destroy()', async () => {
    for (let moment = 0; moment < 600; moment += 75) {
      const old = await pairedBot();
      const closing = old.client.destroy();
      await microtasks(moment);
      if (old.state === 'stopped') {
        await old.finish(closing);
        break;
      }
      const next = newBot();
      const start = outcomeOf(next.session.initialize());
      const clearing = outcomeOf(old.session.clear());
      expect([await old.finish(clearing), await next.finish(start), next.state]).toEqual([
        'ok',
        'ok',
        'awaiting_qr',
      ]);
      await old.finish(closing);
      await next.stop();
    }
  });

  it('is refused where restore(id) brings the old one up again, at once', async () => {
    const old = await pairedBot();
    const [newest] = await old.session.listSnapshots();
    const next = newBot();
    let start: Promise<string> | undefined;
    old.session.on('state:changed', ({ to }) => {
      if (to === 'stopping') start = outcomeOf(next.session.initialize());
    });
    expect(await old.finish(outcomeOf(old.session.restore(newest?.id)))).toBe('ok');
    expect(await next.finish(start ?? Promise.resolve('no start'), { limitMs: 1000 })).toBe(
      'rejected: PROFILE_LOCKED',
    );
    expect([old.state, next.state]).toEqual(['ready', 'idle']);
  });
});

describe('a clear() of a session that has lost its lease', () => {
  const stage = useFakeStage();

  it('becomes the owner anew before it deletes anything', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await bot.save('first');
    let clearing: Promise<string> | undefined;
    bot.session.on('lease:lost', () => {
      clearing = outcomeOf(bot.session.clear());
    });
    await stage().takeOver();
    await bot.until('the loss', () => clearing !== undefined);
    const before = bot.payloads('lease:acquired').length;
    expect(await bot.finish(clearing ?? Promise.resolve('no clear'))).toBe('ok');
    const names = bot.events.map(({ name }) => name);
    expect(bot.payloads('lease:acquired')).toHaveLength(before + 1);
    expect(names.lastIndexOf('lease:acquired')).toBeLessThan(names.indexOf('session:cleared'));
  });
});

describe('a start beside a call that replaces the profile, which nobody awaits', () => {
  const stage = useFakeStage();
  const newBot = () => stage().bot({ session: BY_HAND });

  const calls: [string, (bot: FakeBot) => Promise<unknown>][] = [
    ['importSession()', (bot) => bot.session.importSession('/old/session-x')],
    ['restore()', (bot) => bot.session.restore()],
  ];
  const starts: [string, (bot: FakeBot) => Promise<unknown>][] = [
    ['session.initialize()', (bot) => bot.session.initialize()],
    ['client.initialize()', (bot) => bot.client.initialize()],
  ];
  const pairs = calls.flatMap(([callName, call]) =>
    starts.map(([startName, start]) => ({ callName, call, startName, start })),
  );

  async function prepare(): Promise<FakeBot> {
    await writeFakeProfile(stage().fs, '/old/session-x', { ...stage().whatsApp.pair('1@c.us'), note: 'x' });
    await stage().loggedInOnce();
    return newBot();
  }

  it.each(pairs)(
    '$startName after an unawaited $callName waits for it, and the bot comes up',
    async ({ call, start }) => {
      const bot = await prepare();
      const calling = outcomeOf(call(bot));
      const starting = outcomeOf(start(bot));
      expect([await bot.finish(calling), await bot.finish(starting)]).toEqual(['ok', 'ok']);
      await bot.untilState('ready');
      expect(bot.client.launches).toBe(1);
    },
  );

  it.each(pairs)('$startName before $callName does not reject for it', async ({ call, start }) => {
    const bot = await prepare();
    const starting = outcomeOf(start(bot));
    const calling = outcomeOf(call(bot));
    expect([await bot.finish(calling), await bot.finish(starting)]).toEqual(['ok', 'ok']);
    await bot.untilState('ready');
  });

  it('comes up with what is there where the call fails', async () => {
    const bot = await prepare();
    const calling = outcomeOf(bot.session.importSession('/old/there-is-none'));
    const starting = outcomeOf(bot.session.initialize());
    expect([await bot.finish(calling), await bot.finish(starting)]).toEqual([
      expect.stringMatching(/rejected/),
      'ok',
    ]);
    expect(bot.state).toBe('ready');
  });

  it('stays down where a destroy() comes in between', async () => {
    const bot = await prepare();
    const calling = outcomeOf(bot.session.restore());
    const starting = outcomeOf(bot.session.initialize());
    const closing = outcomeOf(bot.session.destroy());
    expect(await bot.finish(starting)).toBe('rejected: CLOSED');
    expect([await bot.finish(calling), await bot.finish(closing)]).toEqual(['ok', 'ok']);
    expect([bot.state, bot.client.launches]).toEqual(['stopped', 0]);
  });
});

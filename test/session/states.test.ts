import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { FakeBot } from '../support/fake-bot.js';
import { FakeStage } from '../support/fake-stage.js';

const illegal = vi.hoisted(() => [] as string[]);
vi.mock('../../src/state.js', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/state.js')>();
  const assertTransition: typeof original.assertTransition = (from, to) => {
    if (!original.canTransition(from, to)) illegal.push(`${from} -> ${to}`);
    original.assertTransition(from, to);
  };
  return { ...original, assertTransition };
});

/** Something that happens to a bot; what it returns is a call that must settle. */
type Step = (bot: FakeBot) => Promise<unknown> | undefined;

/** Only where there is a page: otherwise it can't happen. */
const onPage =
  (step: Step): Step =>
  (bot) =>
    bot.client.pupBrowser?.isConnected() ? step(bot) : undefined;

const STEPS: Readonly<Record<string, Step>> = {
  initialize: (bot) => bot.session.initialize(),
  destroy: (bot) => bot.session.destroy(),
  reconnect: (bot) => bot.session.reconnect(),
  forceSave: (bot) => bot.session.forceSave(),
  backup: (bot) => bot.session.backup(),
  restore: (bot) => bot.session.restore(),
  clear: (bot) => bot.session.clear(),
  prune: (bot) => bot.session.prune(),
  verify: (bot) => bot.session.verify(),
  'client.initialize': (bot) => bot.client.initialize(),
  'client.destroy': (bot) => bot.client.destroy(),
  'client.logout': (bot) => bot.client.logout(),
  scan: onPage((bot) => (bot.client.pupPage?.state === 'UNPAIRED' ? bot.client.scan() : undefined)),
  'phone logs out': onPage((bot) => bot.client.logOutByPhone()),
  'browser dies': onPage((bot) => void bot.client.pupBrowser?.kill()),
  'browser hangs': onPage((bot) => void Object.assign(bot.client.pupBrowser ?? {}, { hangs: true })),
  'page crashes': onPage((bot) => void bot.client.pupPage?.crash()),
  'page reloads': onPage((bot) => void bot.client.pupPage?.navigate()),
  'next QR': onPage((bot) =>
    bot.client.pupPage?.state === 'UNPAIRED' ? void bot.client.showQr() : undefined,
  ),
  'auth failure': onPage((bot) => void bot.client.emit('auth_failure', 'told by a test')),
  TIMEOUT: onPage((bot) => bot.client.changeState('TIMEOUT')),
  CONNECTED: onPage((bot) => bot.client.changeState('CONNECTED')),
  CONFLICT: onPage((bot) => bot.client.changeState('CONFLICT')),
  PROXYBLOCK: onPage((bot) => bot.client.changeState('PROXYBLOCK')),
  offline: (bot) => void Object.assign(bot.client.whatsApp, { offline: !bot.client.whatsApp.offline }),
  'never ready': (bot) =>
    void Object.assign(bot.client.whatsApp, { neverReady: !bot.client.whatsApp.neverReady }),
  'silent logout': (bot) => void bot.client.whatsApp.revokeAll(),
  'damaged profile': (bot) => bot.stage.damageProfile(bot),
  'nothing for a moment': () => undefined,
  'a second': (bot) => bot.stage.clock.advance(1000),
  'a minute': (bot) => bot.stage.clock.advance(60_000),
  'ten minutes': (bot) => bot.stage.clock.advance(600_000),
};

/** What WhatsApp does in its page ends with the browser, if it has to; what the library does ends by itself. */
const OF_PAGE: ReadonlySet<string> = new Set([
  'scan',
  'phone logs out',
  'TIMEOUT',
  'CONNECTED',
  'CONFLICT',
  'PROXYBLOCK',
]);

interface Scenario {
  readonly seed: number;
  readonly loggedIn: boolean;
  readonly takeoverOnConflict: boolean;
  readonly onConflict: 'wait' | 'stop';
  readonly onLogout: 'relogin' | 'stop';
  /** Every step is followed by so many turns of the event loop; -1: until all is quiet. */
  readonly steps: [name: string, turns: number][];
}

/** Steps that once broke a rule; each is followed by quiet, unless the number of turns is given. */
const ONCE_BROKEN: readonly (readonly (string | readonly [name: string, turns: number])[])[] = [
  // destroy() while the second logout still waited for the browser: `stopping -> reconnecting`.
  ['initialize', 'phone logs out', 'browser hangs', 'phone logs out'],
  // A health check asked the page that destroy() was closing, and was still waiting when all was over.
  ['initialize', 'browser hangs', 'ten minutes', 'page crashes'],
  // The scan was in the page of a browser that hung, and that was not the last one.
  ['initialize', ['page crashes', 0], 'browser hangs', 'scan', 'ten minutes'],
];

/** The bot's own destroy() was watched for a removal of the profile, also after the session's. */
const ONCE_BROKEN_LOGGED_IN: Scenario = {
  ...exampleOf(['initialize', 'client.destroy', ['initialize', 0]]),
  loggedIn: true,
};

describe('the states of a session', () => {
  it('whatever happens: legal transitions only, one browser at a time, and destroy() leaves nothing', async () => {
    const scenario: fc.Arbitrary<Scenario> = fc.record({
      seed: fc.integer({ min: 1, max: 1_000_000 }),
      loggedIn: fc.boolean(),
      takeoverOnConflict: fc.boolean(),
      onConflict: fc.constantFrom('wait' as const, 'stop' as const),
      onLogout: fc.constantFrom('relogin' as const, 'stop' as const),
      steps: fc.array(fc.tuple(fc.constantFrom(...Object.keys(STEPS)), fc.constantFrom(-1, -1, 0, 1, 3, 7)), {
        minLength: 1,
        maxLength: 16,
      }),
    });
    await fc.assert(fc.asyncProperty(scenario, keepsTheRules), {
      numRuns: Number(process.env.RUNS ?? 60),
      examples: [...ONCE_BROKEN.map(exampleOf), ONCE_BROKEN_LOGGED_IN].map((one) => [one]),
    });
  }, 120_000);
});

async function keepsTheRules({
  seed,
  loggedIn,
  steps,
  takeoverOnConflict,
  ...policy
}: Scenario): Promise<void> {
  illegal.length = 0;
  const stage = new FakeStage(seed);
  if (loggedIn) await stage.loggedInOnce();
  const bot = stage.bot({
    client: { takeoverOnConflict },
    session: { ...policy, maxReconnectAttempts: 3 },
  });
  const doubled = countDoubledBrowsers(bot);
  const start = bot.session.initialize();
  start.catch(() => undefined);
  const calls: Promise<unknown>[] = [start];
  const callsOfPage: Promise<unknown>[] = [];
  const browsers = new Set([bot.client.pupBrowser]);
  for (const [name, turns] of steps) {
    browsers.add(bot.client.pupBrowser);
    const call = STEPS[name]?.(bot);
    call?.catch(() => undefined);
    if (call) (OF_PAGE.has(name) ? callsOfPage : calls).push(call);
    if (turns < 0) await bot.until('all is quiet', () => true);
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  await bot.finish(bot.session.destroy());
  await bot.finish(Promise.allSettled(calls));
  expect(stage.clock.pendingTimers).toBe(0);
  // Without a process, one that hangs could not be ended, and a scan in its page waits for it.
  for (const browser of browsers.add(bot.client.pupBrowser)) browser?.kill();
  await bot.finish(Promise.allSettled(callsOfPage));
  expect({ illegal, doubled }).toEqual({ illegal: [], doubled: [] });
  expect(['stopped', 'idle']).toContain(bot.state); // idle: a clear() came to its end after it
  expect(bot.session.status().lease.held).toBe(false);
}

function exampleOf(steps: (typeof ONCE_BROKEN)[number]): Scenario {
  return {
    seed: 1,
    loggedIn: false,
    takeoverOnConflict: false,
    onConflict: 'wait',
    onLogout: 'relogin',
    steps: steps.map((step) => (typeof step === 'string' ? [step, -1] : [...step])),
  };
}

/** Notes every launch that finds the last browser alive, unless that one hangs and could not be closed. */
function countDoubledBrowsers(bot: FakeBot): readonly string[] {
  const doubled: string[] = [];
  const { authStrategy } = bot.client;
  const before = authStrategy.beforeBrowserInitialized.bind(authStrategy);
  authStrategy.beforeBrowserInitialized = async () => {
    await before();
    const { pupBrowser, launches } = bot.client;
    // The client calls this after a logout, too, without a launch.
    const isAlive = pupBrowser?.isConnected() === true && !pupBrowser.hangs;
    setImmediate(() => isAlive && bot.client.launches > launches && doubled.push(`launch ${launches + 1}`));
  };
  return doubled;
}

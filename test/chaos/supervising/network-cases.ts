import assert from 'node:assert/strict';
import { type Clock, systemClock } from '../../../src/clock.js';
import { killBrowser } from '../../simulator/client.js';
import type { SuperviseCase } from './case.js';

/** The server is unreachable, or WhatsApp reports CONFLICT or TIMEOUT. */
export const NETWORK_CASES: readonly SuperviseCase[] = [
  ...[1, 5, 30].map(serverAway),
  {
    name: 'server away at the first start, for 3 retries',
    expected: {
      states: ['restoring', 'starting', 'reconnecting', 'ready'],
      causes: ['network-down'],
    },
    run: async (scene) => {
      await scene.loggedInOnce();
      await scene.simulator.goOffline();
      const bot = scene.bot({
        session: { reconnectDelayMs: 100, maxInitRetries: 0, maxReconnectAttempts: 1 },
      });
      scene.watch(bot);
      const started = bot.session.initialize();
      await scene.attempts(bot, 3);
      await scene.simulator.goOnline();
      await started;
    },
  },
  {
    name: 'server away for seconds under an open page',
    expected: { states: ['degraded', 'ready'] },
    run: async (scene) => {
      const bot = await scene.ready();
      const degraded = scene.next(bot, 'degraded');
      const ready = scene.next(bot, 'ready');
      await scene.simulator.goOffline();
      await degraded;
      await scene.simulator.goOnline();
      await ready;
    },
  },
  {
    name: 'CONFLICT without takeover, onConflict: wait',
    expected: { states: ['reconnecting', 'ready'], causes: ['conflict'] },
    run: async (scene) => {
      const bot = await scene.ready({ session: { clock: clockOfShortMinutes() } });
      const ready = scene.next(bot, 'ready');
      await scene.simulator.conflict();
      await ready;
      const delayMs = bot.payloads('reconnect:scheduled')[0]?.delayMs ?? 0;
      assert.ok(delayMs >= 60_000, `it must not fight: it waited ${delayMs} ms`);
      scene.notes.push(`waits ${Math.round(delayMs / 1000)} s; the clock of the case makes 1 of it`);
    },
  },
  {
    name: 'CONFLICT without takeover, onConflict: stop',
    expected: { states: ['stopping', 'stopped', 'restoring', 'starting', 'authenticated', 'ready'] },
    run: async (scene) => {
      const bot = await scene.ready({ session: { onConflict: 'stop' } });
      const stopped = scene.next(bot, 'stopped');
      await scene.simulator.conflict();
      await stopped;
      const snapshots = await bot.session.listSnapshots();
      assert.ok(snapshots.length > 0 && snapshots.every(({ revoked }) => !revoked), 'everything is kept');
      await bot.session.initialize();
    },
  },
  {
    name: 'CONFLICT with takeover',
    expected: { states: ['degraded', 'ready'] },
    run: async (scene) => {
      const bot = await scene.ready({ client: { takeoverOnConflict: true, takeoverTimeoutMs: 300 } });
      const ready = scene.next(bot, 'ready');
      await scene.simulator.conflict();
      await scene.simulator.waitFor('takeover');
      await ready;
    },
  },
  {
    name: 'TIMEOUT, short',
    expected: { states: ['degraded', 'ready'] },
    run: async (scene) => {
      const bot = await scene.ready();
      const ready = scene.next(bot, 'ready');
      const degraded = scene.next(bot, 'degraded');
      await scene.simulator.timeout();
      await degraded;
      await scene.simulator.resume();
      await ready;
    },
  },
  {
    name: 'TIMEOUT, longer than sessionTimeoutMs',
    expected: { states: ['degraded', 'reconnecting', 'ready'], causes: ['timeout'] },
    run: async (scene) => {
      const bot = await scene.ready({ session: { sessionTimeoutMs: 20_000 } });
      const ready = scene.next(bot, 'ready');
      await scene.simulator.timeout();
      await ready;
    },
  },
];

function serverAway(retries: number): SuperviseCase {
  return {
    name: `server away for ${retries} ${retries === 1 ? 'retry' : 'retries'}`,
    expected: { states: ['reconnecting', 'ready'], causes: ['browser-gone', 'network-down'] },
    deadlineMs: 240_000 + retries * 20_000,
    run: async (scene) => {
      const bot = await scene.ready({ session: { reconnectDelayMs: 50, maxReconnectAttempts: 1 } });
      await scene.simulator.goOffline();
      await killBrowser(bot.client);
      // The first attempt notices the outage; each later one is a retry without network.
      await scene.attempts(bot, retries + 1);
      const succeeded = bot.once('reconnect:succeeded');
      await scene.simulator.goOnline();
      const { attempt } = await succeeded;
      const attempts = bot.payloads('reconnect:attempted').length;
      assert.equal(attempt, 1, 'time without network must not count');
      assert.deepEqual(bot.payloads('reconnect:exhausted'), []);
      scene.notes.push(`${attempts} starts, counted as 1 attempt of 1`);
    },
  };
}

/** A clock on which a wait of a minute or more is over in a second. */
function clockOfShortMinutes(): Clock {
  return {
    ...systemClock,
    setTimeout: (callback, ms) => systemClock.setTimeout(callback, ms >= 60_000 ? 1_000 : ms),
  };
}

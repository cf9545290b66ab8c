import assert from 'node:assert/strict';
import { DEFAULT_OPTIONS, type PersistentSessionOptions } from '../../../src/options.js';
import { crashPage, killBrowser } from '../../simulator/client.js';
import type { SuperviseCase } from './case.js';

/** Short, so that a start whose login hangs is given up soon; a normal start needs less, even on a busy machine. */
const HASTY: PersistentSessionOptions = { sessionTimeoutMs: 20_000 };

/** The browser or its page goes away, hangs, or comes up without getting ready. */
export const BROWSER_CASES: readonly SuperviseCase[] = [
  {
    name: 'browser killed (SIGKILL)',
    expected: { states: ['reconnecting', 'ready'], causes: ['browser-gone'] },
    run: async (scene) => {
      const bot = await scene.ready();
      const ready = scene.next(bot, 'ready');
      await killBrowser(bot.client);
      await ready;
    },
  },
  {
    name: 'browser killed, and the next one while it starts',
    expected: { states: ['reconnecting', 'ready'], causes: ['browser-gone'] },
    run: async (scene) => {
      const bot = await scene.ready({ session: { reconnectDelayMs: 100 } });
      const loaded = scene.simulator.waitFor('page:loaded', { since: scene.simulator.events.length });
      await killBrowser(bot.client);
      await loaded;
      const succeeded = bot.once('reconnect:succeeded');
      await killBrowser(bot.client);
      assert.equal((await succeeded).attempt, 2);
    },
  },
  {
    name: 'page crash',
    expected: { states: ['reconnecting', 'ready'], causes: ['page-crashed'] },
    run: async (scene) => {
      const bot = await scene.ready();
      const ready = scene.next(bot, 'ready');
      await crashPage(bot.client);
      await ready;
    },
  },
  {
    name: 'page closed',
    expected: { states: ['reconnecting', 'ready'], causes: ['page-crashed'] },
    run: async (scene) => {
      const bot = await scene.ready();
      const ready = scene.next(bot, 'ready');
      await bot.client.pupPage?.close();
      await ready;
    },
  },
  {
    name: 'page hangs in a busy loop',
    expected: { states: ['degraded', 'reconnecting', 'ready'], causes: ['unresponsive'] },
    run: async (scene) => {
      assert.ok(
        'healthCheckIntervalMs' in DEFAULT_OPTIONS,
        'nothing notices it: there are no health checks yet',
      );
      const health: object = { healthCheckIntervalMs: 500, puppeteerTimeoutMs: 2_000 };
      const bot = await scene.ready({ session: health });
      const ready = scene.next(bot, 'ready');
      bot.client.pupPage?.evaluate('for (;;);').catch(() => undefined); // the page never answers
      await ready;
    },
  },
  {
    name: 'never ready after authenticated, once',
    expected: { states: ['reconnecting', 'ready'], causes: ['browser-gone', 'never-ready'] },
    run: async (scene) => {
      const bot = await scene.ready({ session: HASTY });
      scene.simulator.setModes({ neverReady: 'authenticated' });
      const ready = scene.next(bot, 'ready');
      bot.session.on('reconnect:scheduled', ({ cause }) => {
        if (cause === 'never-ready') scene.simulator.setModes({ neverReady: false });
      });
      await killBrowser(bot.client);
      await ready;
    },
  },
  {
    name: 'CONNECTED, but never synced, once',
    expected: { states: ['reconnecting', 'ready'], causes: ['browser-gone', 'start-failed'] },
    run: async (scene) => {
      const bot = await scene.ready({ session: HASTY });
      scene.simulator.setModes({ neverReady: 'unsynced' });
      const ready = scene.next(bot, 'ready');
      bot.session.on('reconnect:scheduled', ({ cause }) => {
        if (cause === 'start-failed') scene.simulator.setModes({ neverReady: false });
      });
      await killBrowser(bot.client);
      await ready;
    },
  },
  {
    name: 'never ready until the attempts are used up; then by hand',
    expected: {
      states: ['reconnecting', 'failed', 'restoring', 'starting', 'authenticated', 'ready'],
      causes: ['browser-gone'],
    },
    run: async (scene) => {
      const bot = await scene.ready({ session: { ...HASTY, maxReconnectAttempts: 1 } });
      scene.simulator.setModes({ neverReady: 'authenticated' });
      const failed = scene.next(bot, 'failed');
      await killBrowser(bot.client);
      await failed;
      const exhausted = bot
        .payloads('reconnect:exhausted')
        .map(({ attempts, cause }) => ({ attempts, cause }));
      assert.deepEqual(exhausted, [{ attempts: 1, cause: 'never-ready' }]);
      assert.notEqual((await bot.session.listSnapshots()).length, 0, 'everything is kept');
      scene.simulator.setModes({ neverReady: false });
      await bot.session.reconnect();
    },
  },
  {
    name: 'hasSynced before the client listens',
    expected: { states: ['reconnecting', 'ready'], causes: ['browser-gone'] },
    run: async (scene) => {
      const bot = await scene.ready();
      scene.simulator.setModes({ hasSyncedEarly: true });
      const ready = scene.next(bot, 'ready');
      await killBrowser(bot.client);
      await ready;
    },
  },
];

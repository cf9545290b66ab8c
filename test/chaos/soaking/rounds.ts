import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FaultyFileSystem } from '../../../src/testing/failing-file-system.js';
import { crashPage, killBrowser } from '../../simulator/client.js';
import type { Dice } from '../../support/dice.js';
import type { PersistentBot } from '../../support/persistent-bot.js';
import type { RemoteSimulator } from './simulator.js';

/** The context of a round of the soak. */
export interface SoakStage {
  readonly bot: PersistentBot;
  readonly simulator: RemoteSimulator;
  /** The file system of the bot. */
  readonly fs: FaultyFileSystem;
  readonly dice: Dice;
  readonly untilState: (state: string) => Promise<void>;
}

export interface SoakRound {
  readonly name: string;
  /** Begins with a ready session; the caller waits until the session is ready again. */
  readonly run: (stage: SoakStage) => Promise<void>;
}

const INDEXED_DB = 'Default/IndexedDB/https_web.whatsapp.com_0.indexeddb.leveldb';

/** Faults that heal by themselves and quickly; each is equally likely. */
export const SOAK_ROUNDS: readonly SoakRound[] = [
  {
    name: 'browser killed',
    run: ({ bot }) => killBrowser(bot.client),
  },
  {
    name: 'page crash',
    run: ({ bot }) => crashPage(bot.client),
  },
  {
    name: 'server away, browser killed',
    run: async ({ bot, simulator, untilState }) => {
      await simulator.goOffline();
      try {
        const away = untilState('reconnecting');
        await killBrowser(bot.client);
        await away;
        await bot.once('reconnect:attempted');
      } finally {
        await simulator.goOnline();
      }
    },
  },
  {
    name: 'TIMEOUT, short',
    run: async ({ simulator, untilState }) => {
      const degraded = untilState('degraded');
      await simulator.timeout();
      await degraded;
      await simulator.resume();
    },
  },
  {
    name: 'CONFLICT with takeover',
    run: async ({ simulator, untilState }) => {
      const degraded = untilState('degraded');
      await simulator.conflict();
      await degraded;
    },
  },
  {
    name: 'profile damaged, browser killed',
    run: async ({ bot }) => {
      const database = join(bot.profileDir, INDEXED_DB);
      for (const name of await readdir(database)) {
        if (name.startsWith('MANIFEST-')) await rm(join(database, name));
      }
      await killBrowser(bot.client);
    },
  },
  {
    name: 'disk full during a save',
    run: async ({ bot, simulator, fs }) => {
      fs.arm({ errno: 'ENOSPC', failOn: 1, times: Infinity, operation: /write|mkdir/i, path: /\/store\// });
      try {
        // The first one may join a save that was already running.
        for (const text of ['fits, perhaps', 'does not fit']) {
          await simulator.sendIncoming({ from: '4915100000002', body: text });
          const result = await bot.session.forceSave();
          if (text === 'does not fit' && !('skipped' in result))
            throw new Error('a save was taken on a full disk');
        }
      } finally {
        fs.arm({});
      }
    },
  },
  {
    name: 'reconnect() by hand',
    run: ({ bot }) => bot.session.reconnect(),
  },
  {
    name: 'save, backup, verify, prune',
    run: async ({ bot, simulator }) => {
      await simulator.sendIncoming({ from: '4915100000002', body: 'to be kept' });
      await Promise.all([bot.session.forceSave(), bot.session.backup()]);
      const { corrupt } = await bot.session.verify();
      if (corrupt.length > 0) throw new Error(`a snapshot is corrupt: ${JSON.stringify(corrupt)}`);
      await bot.session.prune();
    },
  },
  {
    name: 'restore() under the running session',
    run: async ({ bot }) => {
      await bot.session.forceSave();
      await bot.session.restore();
    },
  },
  {
    name: 'browser killed while it saves',
    run: async ({ bot, simulator }) => {
      await simulator.sendIncoming({ from: '4915100000002', body: 'in a save that is cut short' });
      const saving = bot.session.backup().catch(() => undefined);
      await killBrowser(bot.client);
      await saving;
    },
  },
  {
    name: 'listeners that throw, browser killed',
    run: async ({ bot }) => {
      const fail = () => {
        throw new Error('a bug of the bot');
      };
      bot.session.once('state:changed', fail);
      bot.session.once('reconnect:scheduled', fail);
      await killBrowser(bot.client);
    },
  },
];

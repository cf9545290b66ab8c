import { join } from 'node:path';
import type { Contender } from './contender.js';
import { loggedInClient } from './logged-in-client.js';
import type { Order } from './order.js';

/** This library, by the public API of the built package, with a client that treats every profile as logged in. */
export async function ours({ library, testing, folder, operation }: Order): Promise<Contender> {
  const { PersistentSession } = (await import(library)) as typeof import('../../src/index.js');
  const fakes = (await import(testing)) as typeof import('../../src/testing/index.js');

  const client = loggedInClient(fakes, {
    localAuth: { dataPath: join(folder, 'auth'), clientId: 'bot' },
  });
  const launched = new Promise<void>((resolve) => {
    client.authStrategy.afterBrowserInitialized = async () => resolve();
  });
  const session = new PersistentSession(client, {
    sessionPath: join(folder, 'session'),
    backupPath: join(folder, 'backup'),
    compression: operation === 'backup, small' ? 'small' : 'fast',
    shutdownSignals: [],
    forceSaveIntervalMs: 0,
    backupIntervalMs: 0,
    sessionValidationIntervalMs: 0,
    healthCheckIntervalMs: 0,
  });

  const taken = (result: Awaited<ReturnType<typeof session.forceSave>>) => {
    if ('snapshot' in result) return 'stored';
    if (result.skipped === 'unchanged') return 'unchanged';
    throw new Error(`nothing was taken: ${result.skipped}`);
  };

  return {
    async open(as) {
      if (as === 'stopped') return void (await session.verify()); // starts the worker thread and loads all its modules
      await session.initialize();
      while (
        session.state !== 'ready' ||
        session.status().lineage === undefined ||
        session.status().run < 1
      ) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    save: async () => taken(await session.forceSave()),
    backUp: async () => taken(await session.backup()),
    async restore(kind) {
      const wanted = (await session.listSnapshots()).find((snapshot) => snapshot.kind === kind);
      if (wanted === undefined) throw new Error(`there is no ${kind}`);
      await session.restore(wanted.id);
    },
    async untilLaunch() {
      const started = session.initialize();
      await Promise.race([launched, started]);
    },
    close: () => session.destroy(),
    storeOf: (kind) => join(folder, kind === 'save' ? 'session/store' : 'backup'),
  };
}

import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { cheapestStore } from './cheapest-store.js';
import type { Contender } from './contender.js';
import type { Order } from './order.js';

/** RemoteAuth reports its end before the unpacked files are closed (whatsapp-web.js issue #2530). */
const UNTIL_CLOSED_MS = 500;

/** The parts of RemoteAuth that are called; the code is that of the installed whatsapp-web.js. */
interface RemoteAuth {
  client: unknown;
  userDataDir: string;
  sessionName: string;
  storeRemoteSession(): Promise<void>;
  extractRemoteSession(): Promise<void>;
  beforeBrowserInitialized(): Promise<void>;
}

/** RemoteAuth with the cheapest possible store: one rename to store, one copy to fetch. */
export async function remoteAuth({ remoteAuth: path, folder }: Order): Promise<Contender> {
  const dataPath = join(folder, 'auth');
  const kept = join(folder, 'store');
  const store = await cheapestStore(dataPath, kept);
  const { default: Strategy } = (await import(path)) as {
    default: new (options: object) => RemoteAuth;
  };
  const strategy = new Strategy({ clientId: 'bot', dataPath, store, backupSyncIntervalMs: 60_000 });
  strategy.client = { options: { puppeteer: {} }, emit: () => false };
  strategy.sessionName = 'RemoteAuth-bot';
  strategy.userDataDir = join(dataPath, strategy.sessionName);

  const save = async () => {
    await strategy.storeRemoteSession();
    return 'stored' as const;
  };
  return {
    open: async () => undefined,
    save,
    backUp: save,
    restore: () => strategy.extractRemoteSession(),
    untilLaunch: () => strategy.beforeBrowserInitialized(),
    close: () => pause(UNTIL_CLOSED_MS),
    storeOf: () => kept,
  };
}

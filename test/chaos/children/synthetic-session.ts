// A bot with the fake client in its own process. It obeys its parent until it is killed.
// The addresses of the library and of its fakes are arguments, so that it can run the built package or the sources.

import { join } from 'node:path';
import type { SessionStore } from '../../../src/index.js';

const [libraryUrl = '', testingUrl = ''] = process.argv.slice(2);
const { FileSystemStore, PersistentSession } = (await import(
  libraryUrl
)) as typeof import('../../../src/index.js');
const { FakeClient, FakeWhatsApp } = (await import(
  testingUrl
)) as typeof import('../../../src/testing/index.js');

/** The orders of the parent. */
export type Order =
  | {
      readonly call: 'open';
      readonly authPath: string;
      readonly sessionPath: string;
      readonly backupPath: string;
      readonly clientId: string;
      readonly keepLast: number;
      /** How often a phone has scanned a code of this bot so far, as the server remembers it. */
      readonly pairings: number;
      /** Whether the saves go where no path leads, as over a network: then they are put in packs. */
      readonly isRemote: boolean;
    }
  | { readonly call: 'initialize' | 'scan' | 'save' | 'backup' | 'prune' | 'clear' | 'destroy' }
  | { readonly call: 'restore'; readonly snapshotId: string }
  | { readonly call: 'import'; readonly from: string };

/** The messages of the child: that an order begins, and how it ended. */
export type Told =
  | { readonly told: 'loaded' | 'begun' }
  | {
      readonly told: 'ended';
      readonly state: string;
      readonly codes: number;
      /** The snapshots that were restored or found damaged, with the reasons. */
      readonly heard: readonly string[];
      readonly result?: unknown;
      readonly error?: string;
    };

const ACCOUNT = '4915100000001@c.us';

const whatsApp = new FakeWhatsApp();

let bot:
  | {
      readonly client: InstanceType<typeof FakeClient>;
      readonly session: InstanceType<typeof PersistentSession>;
    }
  | undefined;
let codes = 0;
const heard: string[] = [];

function open(order: Extract<Order, { call: 'open' }>): void {
  const { authPath, clientId, sessionPath, backupPath, keepLast, pairings, isRemote } = order;
  for (let pairing = 0; pairing < pairings; pairing++) whatsApp.pair(ACCOUNT);
  const client = new FakeClient({ whatsApp, localAuth: { dataPath: authPath, clientId } });
  client.on('qr', () => codes++);
  const session = new PersistentSession(client, {
    sessionPath,
    backupPath,
    ...(isRemote && { store: withoutPaths(sessionPath) }),
    shutdownSignals: [],
    forceSaveIntervalMs: 0,
    backupIntervalMs: 0,
    sessionValidationIntervalMs: 0,
    retention: { saves: { keepLast }, backups: { keepLast } },
  });
  session.on('restore:started', ({ reason, snapshot }) => heard.push(`restores ${snapshot.id}: ${reason}`));
  session.on('corruption:detected', ({ findings }) =>
    heard.push(findings.map(({ file, problem }) => `${file}: ${problem}`).join('; ')),
  );
  bot = { client, session };
}

function withoutPaths(sessionPath: string): SessionStore {
  const store = new FileSystemStore(join(sessionPath, 'store'));
  return {
    name: store.name,
    capabilities: store.capabilities,
    put: store.put.bind(store),
    get: store.get.bind(store),
    head: store.head.bind(store),
    list: store.list.bind(store),
    delete: store.delete.bind(store),
    deleteMany: store.deleteMany.bind(store),
    ...{ sweepTemporaries: () => store.sweepTemporaries() },
  };
}

async function obey(order: Order): Promise<unknown> {
  if (order.call === 'open') return open(order);
  if (!bot) throw new Error('open first');
  const { client, session } = bot;
  switch (order.call) {
    case 'initialize': {
      await session.initialize();
      return untilCounted(session);
    }
    case 'scan':
      await client.scan(ACCOUNT);
      return untilCounted(session);
    case 'save':
      return session.forceSave();
    case 'backup':
      return session.backup();
    case 'restore':
      return session.restore(order.snapshotId);
    case 'import':
      return session.importSession(order.from, { force: true });
    case 'prune':
      return session.prune();
    case 'clear':
      return session.clear();
    case 'destroy':
      return session.destroy();
  }
}

/** Waits until the record's run number shows that this run was counted, which happens right after `ready`. */
async function untilCounted(session: InstanceType<typeof PersistentSession>): Promise<void> {
  for (let look = 0; look < 500 && session.state === 'ready'; look++) {
    if (session.status().lineage !== undefined && session.status().run > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function tell(message: Told): void {
  process.send?.(message);
}

process.on('message', (order: Order) => {
  tell({ told: 'begun' });
  obey(order).then(
    (result) => tell({ told: 'ended', state: bot?.session.state ?? 'none', codes, heard, result }),
    (error: unknown) =>
      tell({ told: 'ended', state: bot?.session.state ?? 'none', codes, heard, error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
process.on('unhandledRejection', (error) => {
  tell({ told: 'ended', state: 'crashed', codes, heard, error: `unhandled rejection: ${String(error)}` });
});
tell({ told: 'loaded' });

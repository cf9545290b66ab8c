// A bot with the real client in a real Chromium, in its own process. It obeys its parent until it is killed.
// The address of the library is an argument, so that it can run the built package.

import { createBot, type PageState, pageState, waitForEvent } from '../../simulator/client.js';
import { CLIENT_ID, placesIn } from '../synthetic/world.js';

const [libraryUrl = '', folder = '', port = '', keepLast = ''] = process.argv.slice(2);
const { PersistentSession } = (await import(libraryUrl)) as typeof import('../../../src/index.js');

const PATIENCE_MS = 90_000;

/** The orders of the parent. */
export type RealOrder =
  | { readonly call: 'initialize' | 'settle' | 'look' | 'save' | 'backup' | 'prune' | 'clear' | 'destroy' }
  | { readonly call: 'restore'; readonly snapshotId: string };

/** The messages of the child: that an order begins, and how it ended. */
export type RealTold =
  | { readonly told: 'loaded' | 'begun' }
  | {
      readonly told: 'ended';
      readonly state: string;
      readonly codes: number;
      /** The reasons for which snapshots were restored without an order. */
      readonly heard: readonly string[];
      readonly page?: PageState;
      readonly error?: string;
    };

const { authPath, sessionPath, backupPath } = placesIn(folder);
const client = createBot({ simulator: { port: Number(port) }, dataPath: authPath, clientId: CLIENT_ID });
const retention = { keepLast: Number(keepLast) };
const session = new PersistentSession(client, {
  sessionPath,
  backupPath,
  shutdownSignals: [],
  reconnectDelayMs: 500,
  forceSaveIntervalMs: 0,
  backupIntervalMs: 0,
  retention: { saves: retention, backups: retention },
});
let codes = 0;
const heard: string[] = [];
client.on('qr', () => codes++);
session.on('restore:started', ({ reason, snapshot }) => heard.push(`restores ${snapshot.id}: ${reason}`));
session.on('corruption:detected', ({ findings }) =>
  heard.push(findings.map(({ file, problem }) => `${file}: ${problem}`).join('; ')),
);

async function obey(order: RealOrder): Promise<PageState | undefined> {
  switch (order.call) {
    case 'initialize':
      await session.initialize();
      return;
    case 'settle':
      return untilSettled();
    case 'look':
      return pageState(client);
    case 'save':
      await session.forceSave();
      return;
    case 'backup':
      await session.backup();
      return;
    case 'restore':
      await session.restore(order.snapshotId);
      return;
    case 'prune':
      await session.prune();
      return;
    case 'clear':
      await session.clear();
      return;
    case 'destroy':
      await session.destroy();
      return;
  }
}

/** Waits for `ready` and a snapshot of both halves of the login; Local Storage takes seconds to reach the disk. */
async function untilSettled(): Promise<undefined> {
  const end = performance.now() + PATIENCE_MS;
  while (performance.now() < end) {
    if (session.state === 'ready') {
      await session.forceSave();
      const snapshots = await session.listSnapshots();
      if (snapshots.some(({ settled }) => settled)) return;
    }
    await waitForEvent(session, 'save:completed', 1000).catch(() => undefined);
  }
  throw new Error(`no settled save within ${PATIENCE_MS} ms; the session is ${session.state}`);
}

function tell(message: RealTold): void {
  process.send?.(message);
}

function tellEnd(more: { readonly page?: PageState; readonly error?: string } = {}): void {
  tell({ told: 'ended', state: session.state, codes, heard, ...more });
}

process.on('message', (order: RealOrder) => {
  tell({ told: 'begun' });
  obey(order).then(
    (page) => tellEnd(page && { page }),
    (error: unknown) => tellEnd({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
process.on('unhandledRejection', (error) =>
  tellEnd({ error: `unhandled rejection: ${error instanceof Error ? error.stack : String(error)}` }),
);
tell({ told: 'loaded' });

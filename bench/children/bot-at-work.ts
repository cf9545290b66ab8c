// Runs one bot with the real client in real Chromium under traffic, and tells what its node process costs.
import type { Client } from 'whatsapp-web.js';
import { RECORD_SCRIPT, type RecordLoad } from '../support/page-of-records.js';
import { cheapestStore } from './cheapest-store.js';
import { mainCpuMs, writtenBytes } from './measure.js';
import { type RealClientOrder, realClient } from './real-client.js';

/** `saves` is ours without backups. */
export type BotSide = 'plain' | 'ours' | 'saves' | 'remoteAuth';

export interface BotOrder extends RealClientOrder {
  readonly side: BotSide;
  /** Address of this library's build. */
  readonly library: string;
  /** The folder that contains everything of the bot. */
  readonly folder: string;
  readonly load: RecordLoad;
}

/** The costs of the process since the call of `initialize()`. */
export interface BotSample {
  readonly sinceMs: number;
  readonly cpuMs: number;
  readonly mainCpuMs: number | null;
  readonly busyMs: number;
  readonly writtenBytes: number | null;
  /** Not since the start, but what is resident now. */
  readonly rssBytes: number;
}

export type BotAsked = BotOrder | 'sample' | 'page' | 'back-up' | 'end';

export type BotTold =
  | { readonly told: 'ready'; readonly readyMs: number }
  | { readonly told: 'sample'; readonly sample: BotSample }
  | { readonly told: 'backed-up' }
  | { readonly told: 'page'; readonly pageBytes: number; readonly events: Readonly<Record<string, number>> };

interface Running {
  readonly session: { destroy(): Promise<unknown> };
  readonly pageBytes: () => Promise<number>;
  readonly backUp: () => Promise<unknown>;
}

let startedAt = 0;
let cpuBefore = process.cpuUsage();
let mainBefore: number | null = null;
let writtenBefore: number | null = null;
let loopBefore = performance.eventLoopUtilization();
let running: Running | undefined;
const events: Record<string, number> = {};
const count = (name: string) => {
  events[name] = (events[name] ?? 0) + 1;
};

async function start(order: BotOrder): Promise<void> {
  const dataPath = `${order.folder}/auth`;
  const client = await realClient(order, async ({ LocalAuth, RemoteAuth }) => {
    if (order.side !== 'remoteAuth') return new LocalAuth({ clientId: 'bot', dataPath });
    const store = await cheapestStore(dataPath, `${order.folder}/store`, () => count('saved'));
    return new RemoteAuth({ clientId: 'bot', dataPath, store, backupSyncIntervalMs: 60_000 });
  });
  client.on('qr', () => fail(new Error(`${order.side} shows a QR`)));
  const ready = new Promise<void>((resolve) => client.once('ready', () => resolve()));
  const isOurs = order.side === 'ours' || order.side === 'saves';
  const session = isOurs ? await sessionOf(order, client) : client;
  startedAt = performance.now();
  cpuBefore = process.cpuUsage();
  mainBefore = mainCpuMs();
  writtenBefore = writtenBytes();
  loopBefore = performance.eventLoopUtilization();
  session.initialize().catch(fail);
  await ready;
  tell({ told: 'ready', readyMs: performance.now() - startedAt });
  const page = client.pupPage;
  if (!page) throw new Error('there is no page');
  await page.evaluate(RECORD_SCRIPT);
  await page.evaluate(`records.begin(${order.load.keys}, ${order.load.bytesPerSecond})`);
  running = {
    session,
    pageBytes: async () => (await page.evaluate('records.written()')) as number,
    backUp: async () => ('backup' in session ? session.backup() : undefined),
  };
}

async function sessionOf(order: BotOrder, client: Client) {
  const { PersistentSession } = (await import(order.library)) as typeof import('../../src/index.js');
  const session = new PersistentSession(client, {
    sessionPath: `${order.folder}/session`,
    backupPath: `${order.folder}/backup`,
    shutdownSignals: [],
    ...(order.side === 'saves' && { backupIntervalMs: 0 }),
  });
  session.on('save:completed', () => count('saved'));
  session.on('save:failed', () => count('save failed'));
  session.on('save:skipped', () => count('save skipped'));
  session.on('backup:completed', () => count('backed up'));
  session.on('backup:failed', () => count('backup failed'));
  session.on('warning', ({ code, message }) => {
    if (code === 'storage') return; // a temporary folder is no place for a session
    count(`warning ${code}`);
    console.error(`${order.side}: ${code}: ${message}`);
  });
  return session;
}

function sample(): BotSample {
  const { user, system } = process.cpuUsage(cpuBefore);
  const since = (now: number | null, before: number | null) =>
    now === null || before === null ? null : now - before;
  return {
    sinceMs: performance.now() - startedAt,
    cpuMs: (user + system) / 1000,
    mainCpuMs: since(mainCpuMs(), mainBefore),
    busyMs: performance.eventLoopUtilization(loopBefore).active,
    writtenBytes: since(writtenBytes(), writtenBefore),
    rssBytes: process.memoryUsage.rss(),
  };
}

function tell(told: BotTold): void {
  process.send?.(told);
}

function fail(error: unknown): never {
  console.error(error);
  process.exit(1);
}

async function obey(asked: BotAsked): Promise<void> {
  if (asked === 'sample') return tell({ told: 'sample', sample: sample() });
  if (asked === 'page') return tell({ told: 'page', pageBytes: (await running?.pageBytes()) ?? 0, events });
  if (asked === 'back-up') {
    await running?.backUp();
    return tell({ told: 'backed-up' });
  }
  if (asked !== 'end') return start(asked);
  await running?.session.destroy();
  process.exit();
}

process.on('message', (asked: BotAsked) => {
  obey(asked).catch(fail);
});

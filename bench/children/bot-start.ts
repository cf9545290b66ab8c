// Starts one bot with the real client in real Chromium, and measures the time from initialize() to `ready`.
import { type RealClientOrder, realClient } from './real-client.js';

export interface BotStartOrder extends RealClientOrder {
  /** Address of this library's build; without one the plain client is started. */
  readonly library: string | undefined;
  /** The folder that contains everything of the bot. */
  readonly folder: string;
}

export interface BotStartFigures {
  readonly readyMs: number;
}

async function startBot(order: BotStartOrder): Promise<BotStartFigures> {
  const client = await realClient(
    order,
    ({ LocalAuth }) => new LocalAuth({ clientId: 'bot', dataPath: `${order.folder}/auth` }),
  );
  client.on('qr', () => fail(new Error('it shows a QR')));
  const ready = new Promise<void>((resolve) => client.on('ready', () => resolve()));
  const session =
    order.library === undefined ? undefined : await sessionOf(order.library, client, order.folder);
  const startedAt = performance.now();
  client.initialize().catch(fail);
  await ready;
  const readyMs = performance.now() - startedAt;
  while (session !== undefined && session.status().run < 1) await new Promise((next) => setTimeout(next, 20));
  await (session ?? client).destroy();
  return { readyMs };
}

async function sessionOf(library: string, client: import('whatsapp-web.js').Client, folder: string) {
  const { PersistentSession } = (await import(library)) as typeof import('../../src/index.js');
  return new PersistentSession(client, {
    sessionPath: `${folder}/session`,
    backupPath: `${folder}/backup`,
    shutdownSignals: [],
    forceSaveIntervalMs: 0,
    backupIntervalMs: 0,
    sessionValidationIntervalMs: 0,
    healthCheckIntervalMs: 0,
  });
}

function fail(error: unknown): never {
  console.error(error);
  process.exit(1);
}

process.on('message', (order: BotStartOrder) => {
  startBot(order).then((figures) => process.send?.(figures, () => process.exit()), fail);
});

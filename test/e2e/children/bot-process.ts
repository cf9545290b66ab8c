/**
 * A bot in a process of its own, to be killed. Tells what happens as JSON lines on stdout.
 * Arguments: folder, port of the simulator, {@link BotProcessOptions} as JSON.
 */
import { type PersistentSessionOptions, storeFromUrl } from '../../../src/index.js';
import type { SessionState } from '../../../src/state.js';
import { PersistentBot } from '../../support/persistent-bot.js';

export interface BotProcessOptions {
  readonly session?: PersistentSessionOptions;
  /** The address of the store for the saves; default: a folder. */
  readonly storeUrl?: string;
  /** Sends itself a SIGTERM when it enters this state, however short that is, or when this happens. */
  readonly terminateIn?: SessionState | 'restore:started';
  /** Ends the process in the bot's own `disconnected` handler, as published bots do. */
  readonly exitOnDisconnected?: boolean;
}

const [folder = '', port = '', json = '{}'] = process.argv.slice(2);
const { session, storeUrl, terminateIn, exitOnDisconnected } = JSON.parse(json) as BotProcessOptions;
const bot = new PersistentBot({
  simulator: { port: Number(port) },
  folder,
  session: { ...session, ...(storeUrl !== undefined && { store: storeFromUrl(storeUrl) }) },
});

function tell(name: string, payload: unknown = {}): void {
  process.stdout.write(`${JSON.stringify({ name, payload })}\n`);
}

function terminateIf(moment: string): void {
  if (moment === terminateIn) process.kill(process.pid, 'SIGTERM');
}

for (const name of [
  'state:changed',
  'save:completed',
  'save:skipped',
  'save:failed',
  'restore:completed',
  'reconnect:scheduled',
  'reconnect:attempted',
  'lease:acquired',
  'lease:lost',
  'warning',
] as const) {
  bot.session.on(name, (payload: unknown) => tell(name, payload));
}
bot.session.on('state:changed', ({ to }) => terminateIf(to));
bot.session.on('restore:started', () => terminateIf('restore:started'));
bot.client.on('qr', () => tell('qr'));
if (exitOnDisconnected) bot.client.on('disconnected', () => process.exit(0));

try {
  await bot.session.initialize();
  tell('initialized', { browser: bot.client.pupBrowser?.process()?.pid });
} catch (error) {
  tell('failed', { error: error instanceof Error ? { ...error, message: error.message } : String(error) });
  process.exitCode = 3;
}

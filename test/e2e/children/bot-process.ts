/**
 * A bot in a process of its own, to be killed. Tells what happens as JSON lines on stdout.
 * Arguments: folder, port of the simulator.
 */
import { PersistentBot } from '../../support/persistent-bot.js';

const [folder = '', port = ''] = process.argv.slice(2);
const bot = new PersistentBot({ simulator: { port: Number(port) }, folder });

function tell(name: string, payload: unknown = {}): void {
  process.stdout.write(`${JSON.stringify({ name, payload })}\n`);
}

bot.session.on('state:changed', (payload) => tell('state:changed', payload));
bot.session.on('save:completed', (payload) => tell('save:completed', payload));
bot.session.on('restore:completed', (payload) => tell('restore:completed', payload));
bot.client.on('qr', () => tell('qr'));

try {
  await bot.session.initialize();
  tell('initialized', { browser: bot.client.pupBrowser?.process()?.pid });
} catch (error) {
  tell('failed', { error: error instanceof Error ? { ...error, message: error.message } : String(error) });
  process.exitCode = 3;
}

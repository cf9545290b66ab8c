// The same bot, made persistent: one import and one line more; the last line says `session` instead of `client`.
import wweb from 'whatsapp-web.js';
import { PersistentSession } from 'wwebjs-persistent-session';

const { Client, LocalAuth } = wweb;

const client = new Client({
  authStrategy: new LocalAuth({ clientId: 'basic-bot' }),
  puppeteer: { args: ['--no-sandbox'] },
});
const session = new PersistentSession(client);

client.on('qr', (qr) => {
  console.log('Scan this with WhatsApp > Linked devices:');
  console.log(qr);
});

client.on('ready', () => {
  console.log('ready');
});

client.on('message', async (message) => {
  if (message.body === '!ping') await message.reply('pong');
});

client.on('disconnected', (reason) => {
  console.log('disconnected:', reason);
});

await session.initialize();

// The same bot, made persistent by the two lines that are marked.
import wweb from 'whatsapp-web.js';
import { PersistentSession } from 'wwebjs-persistent-session'; // <- one

const { Client, LocalAuth } = wweb;

const client = new Client({
  authStrategy: new LocalAuth({ clientId: 'basic-bot' }),
  puppeteer: { args: ['--no-sandbox'] },
});
new PersistentSession(client); // <- two: client.initialize() below now starts, saves and restores the session

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

await client.initialize();

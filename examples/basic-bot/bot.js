// An ordinary whatsapp-web.js bot: answers "!ping".
import wweb from 'whatsapp-web.js';

const { Client, LocalAuth } = wweb;

const client = new Client({
  authStrategy: new LocalAuth({ clientId: 'basic-bot' }),
  puppeteer: { args: ['--no-sandbox'] },
});

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

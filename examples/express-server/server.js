// A bot with the API and the dashboard, over Express. Listens on loopback unless told otherwise.
//   HOST, PORT         where it listens (127.0.0.1, 3000)
//   DASHBOARD_TOKEN    who has it, has the account; made for each run when it is not set
//   TRUST_PROXY=1      behind a proxy that sets X-Forwarded-For, -Proto and -Host
// and the library's own names: CLIENT_ID, SESSION_PATH, BACKUP_SESSION_PATH, ...
import { randomBytes } from 'node:crypto';
import express from 'express';
import wweb from 'whatsapp-web.js';
import { fromEnv, PersistentSession } from 'wwebjs-persistent-session';
import { createSessionHandler, toNodeListener } from 'wwebjs-persistent-session/http';

const { HOST = '127.0.0.1', PORT = '3000', DASHBOARD_TOKEN, TRUST_PROXY } = process.env;
const token = DASHBOARD_TOKEN || randomBytes(32).toString('base64url');

const isRoot = process.getuid?.() === 0;
const client = new wweb.Client({ puppeteer: { args: isRoot ? ['--no-sandbox'] : [] } });
const session = new PersistentSession(client, { ...fromEnv(), logger: console });
const handler = createSessionHandler(session, {
  auth: token,
  trustProxy: TRUST_PROXY === '1',
  logger: console,
});

client.on('message', async (message) => {
  if (message.body === '!ping') await message.reply('pong');
});

const app = express();
app.disable('x-powered-by');
app.use(toNodeListener(handler)); // what is not its own goes on to your routes
app.get('/', (_request, response) => response.redirect('/persistent-session'));

const server = app.listen(Number(PORT), HOST, (error) => {
  if (error) throw error;
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  console.log(`Dashboard: http://${HOST}:${port}/persistent-session`);
  if (!DASHBOARD_TOKEN) console.log(`Token for this run: ${token}`);
});

// The server stays up whatever happens: the dashboard says what, and can start it again.
session.initialize().catch((error) => console.error('the session did not start:', error.message));

// One session for the whole process: Next.js loads modules more than once, in development at every change.
import wweb from 'whatsapp-web.js';
import { fromEnv, PersistentSession } from 'wwebjs-persistent-session';
import { createSessionHandler, type SessionHandler } from 'wwebjs-persistent-session/http';

const shared = globalThis as { whatsAppHandler?: SessionHandler };

shared.whatsAppHandler ??= start();
export const handler = shared.whatsAppHandler;

function start(): SessionHandler {
  const session = new PersistentSession(new wweb.Client({}), fromEnv());
  const made = createSessionHandler(session, { auth: process.env.DASHBOARD_TOKEN ?? '' });
  session.initialize().catch((error: unknown) => console.error('the session did not start:', error));
  return made;
}

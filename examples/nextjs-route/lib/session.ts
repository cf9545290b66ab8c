// One session for the whole process: Next.js loads modules more than once, in development at every change, and also
// while it builds. So nothing starts when this module is loaded.
import wweb from 'whatsapp-web.js';
import { fromEnv, PersistentSession } from 'wwebjs-persistent-session';
import { createSessionHandler, type SessionHandler } from 'wwebjs-persistent-session/http';

const shared = globalThis as { whatsAppHandler?: SessionHandler };

/** Starts the bot, once. `instrumentation.ts` calls it when the server starts. */
export function startBot(): SessionHandler {
  shared.whatsAppHandler ??= start();
  return shared.whatsAppHandler;
}

/** What every route hands its requests to. */
export async function handle(request: Request): Promise<Response> {
  return startBot()(request);
}

function start(): SessionHandler {
  const session = new PersistentSession(new wweb.Client({}), fromEnv());
  const handler = createSessionHandler(session, { auth: process.env.DASHBOARD_TOKEN ?? '' });
  session.initialize().catch((error: unknown) => console.error('the session did not start:', error));
  return handler;
}

// The same mount in Fastify: https://fastify.dev
import fastify, { type FastifyInstance } from 'fastify';
import { createSessionHandler, type SessionLike, toNodeListener } from 'wwebjs-persistent-session/http';

/** An application with the API and the dashboard. Routes of your own go beside the plugin. */
export function createApp(session: SessionLike, token: string): FastifyInstance {
  const app = fastify();
  const handler = createSessionHandler(session, { auth: token });
  const listener = toNodeListener(handler);

  app.register(async (scope) => {
    // Before Fastify reads a body: the handler reads it itself, with bounds and errors of its own.
    scope.addHook('onRequest', (request, reply) => {
      reply.hijack();
      listener(request.raw, reply.raw);
    });
    for (const url of [
      '/healthz',
      '/readyz',
      '/persistent-session',
      '/persistent-session/*',
      '/api/whatsapp/*',
    ]) {
      scope.all(url, () => undefined);
    }
  });
  app.addHook('preClose', async () => handler.close()); // else open streams would keep the server open
  return app;
}

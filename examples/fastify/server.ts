// The same mount in Fastify: https://fastify.dev
import fastify, { type FastifyInstance } from 'fastify';
import { createSessionHandler, type SessionLike, toNodeListener } from 'wwebjs-persistent-session/http';

/** An application with the API and the dashboard. Routes of your own go beside the plugin. */
export function createApp(session: SessionLike, token: string): FastifyInstance {
  const app = fastify();
  const handler = createSessionHandler(session, { auth: token });
  const listener = toNodeListener(handler);

  app.register(async (scope) => {
    // The handler reads bodies itself, with bounds of its own; the parsers of other routes stay as they are.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    for (const url of [
      '/healthz',
      '/readyz',
      '/persistent-session',
      '/persistent-session/*',
      '/api/whatsapp/*',
    ]) {
      scope.all(url, (request, reply) => {
        reply.hijack();
        listener(request.raw, reply.raw);
      });
    }
  });
  app.addHook('preClose', async () => handler.close()); // else open streams would keep the server open
  return app;
}

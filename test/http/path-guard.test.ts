import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import express from 'express';
import fc from 'fast-check';
import fastify from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { createSessionHandler, type NodeListener, toNodeListener } from '../../src/http/index.js';
import { plainPathOf } from '../../src/http/request-target.js';
import { FakeSession } from './support/fake-session.js';
import { API, DASHBOARD } from './support/http-stage.js';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

function listenerOf(): NodeListener {
  const handler = createSessionHandler(new FakeSession(), { auth: 'none' });
  return toNodeListener(handler);
}

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** The status of a target that no client would normalize. Leaves as soon as it knows: a stream would never end. */
function ask(port: number, target: string): Promise<number> {
  return new Promise<number>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`),
    );
    socket.once('data', (chunk) => {
      socket.destroy();
      resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(chunk.toString())?.[1]));
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`no answer to ${target}`)));
  });
}

/** Other spellings of the path that a parser of addresses reads as the path itself. */
function spellings(path: string): readonly string[] {
  return [
    `/x/..${path}`,
    `/x/%2e%2e${path}`,
    `/x/.%2E${path}`,
    `/.${path}`,
    `/%2e${path}`,
    `/..${path}`,
    path.replaceAll('/', '\\').replace('\\', '/'),
    path.replace('/persistent', '\\persistent'),
    `/x\\..${path}`,
    path.replace('/persistent', '/./persistent'),
    path.replace('/persistent', '/y/../persistent'),
    `/persistent-session/..${path}`,
    `${path}#x`,
    `${path}/.`,
  ];
}

const GUARDED = [API, `${API}/events`, `${API}/qr.svg`, DASHBOARD];
/** By the guard, by the next one in the chain, by Express, or by node itself. */
const NOT_SERVED = [400, 401, 404, 418];
const TARGETS = GUARDED.flatMap(spellings);

describe("auth: 'none' behind a guard of Express, as docs/api.md shows it", () => {
  /** Everything but the guarded paths goes on; who is not logged in is stopped with 401. */
  function guarded(mount: (app: express.Express) => void): Promise<number> {
    const app = express();
    app.use(['/api/whatsapp', '/persistent-session'], (_request, response) => {
      response.status(401).end();
    });
    mount(app);
    app.use((_request, response) => {
      response.status(418).end();
    });
    return listen(app);
  }

  it.each(TARGETS)('%s leads nobody around it', async (target) => {
    const port = await guarded((app) => app.use(listenerOf()));
    expect(NOT_SERVED).toContain(await ask(port, target));
  });

  it.each(TARGETS)('%s leads nobody around it below a mount', async (target) => {
    const app = express();
    app.use(['/bot/api/whatsapp', '/bot/persistent-session'], (_request, response) => {
      response.status(401).end();
    });
    app.use('/bot', listenerOf(), (_request, response) => {
      response.status(418).end();
    });
    expect(NOT_SERVED).toContain(await ask(await listen(app), `/bot${target}`));
  });

  it('no other case and no other way to write a path goes around it either', async () => {
    const port = await guarded((app) => app.use(listenerOf()));
    for (const path of GUARDED) {
      const others = [
        path.toUpperCase(),
        `/${path}`,
        `${path}/`,
        `${path};x=1`,
        path.replace('/persistent', '//persistent'),
        path.replace('/persistent', '%2fpersistent'),
        path.replace('a', '%61'),
        `${path}%00`,
        `http://localhost${path}`,
      ];
      for (const target of others) expect(NOT_SERVED, target).toContain(await ask(port, target));
    }
  });

  it('whoever is logged in is served', async () => {
    const app = express();
    app.use('/api/whatsapp', (_request, _response, next) => next());
    app.use(listenerOf());
    const port = await listen(app);
    for (const path of GUARDED.filter((one) => !one.endsWith('events') && !one.endsWith('svg'))) {
      expect(await ask(port, path)).toBe(200);
      expect(await ask(port, `${path}?x=/../y`)).toBe(200);
    }
  });
});

describe("auth: 'none' behind a hook of Fastify that looks at the path", () => {
  it.each(TARGETS)('%s leads nobody around it', async (target) => {
    const app = fastify();
    const listener = listenerOf();
    app.addHook('onRequest', async (request, reply) => {
      const { url } = request.raw;
      if (/^\/(api\/whatsapp|persistent-session)(?![\w/]*\.\.)/i.test(url ?? ''))
        return reply.code(401).send();
      return undefined;
    });
    for (const url of ['/*', '/']) {
      app.all(url, (request, reply) => {
        reply.hijack();
        listener(request.raw, reply.raw);
      });
    }
    await app.listen({ port: 0, host: '127.0.0.1' });
    ends.push(() => app.close());
    expect(NOT_SERVED).toContain(await ask((app.server.address() as AddressInfo).port, target));
  });
});

describe('a path as it was sent', () => {
  it.each([
    ['/healthz', '/healthz'],
    ['/healthz?a=/../b', '/healthz'],
    ['//evil.example/healthz', '//evil.example/healthz'],
    ['/a/%2f', '/a/%2f'],
    ['http://localhost/healthz?x', '/healthz'],
    ['/a/../healthz', undefined],
    ['/%2e%2E/healthz', undefined],
    ['/a\\b', undefined],
    ['/healthz#x', undefined],
    ['/héalthz', undefined],
    ['/a b', undefined],
    ['/a\tb', undefined],
    ['', undefined],
    ['*', undefined],
    ['healthz', undefined],
    ['http://local host/healthz', undefined],
    ['http:/localhost/healthz', undefined],
    ['http:\\\\localhost/healthz', undefined],
    ['http://localhost\\healthz', undefined],
    ['http://localhost', undefined],
  ])('of %j is %j', (target, path) => {
    expect(plainPathOf(target)).toBe(path);
  });

  it('is the very text before the query, or none (property)', () => {
    const part = fc.oneof(
      fc.constantFrom('..', '.', '%2e', '/', '\\', '?', '#', ';', 'a', '%2F', ':', '@', '//', '\t', 'é'),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const target = `/${parts.join('')}`;
        const path = plainPathOf(target);
        if (path === undefined) return;
        expect(target.split('?')[0]).toBe(path);
        expect(new URL(`http://localhost${target}`).pathname).toBe(path);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('the Web-standard handler', () => {
  it('takes no path that it would have to fold, whatever made the request', async () => {
    const handler = createSessionHandler(new FakeSession(), { auth: 'none' });
    const url = `http://localhost/x/..${API}`;
    const raw = new Proxy(new Request(url), {
      get: (request, name) => (name === 'url' ? url : (Reflect.get(request, name) as unknown)),
    });
    expect((await handler(raw)).status).toBe(404);
    expect(handler.matches(`/x/..${API}`)).toBe(false);
    expect(handler.matches(API)).toBe(true);
  });
});

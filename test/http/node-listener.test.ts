import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import express from 'express';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createSessionHandler, type SessionHandler, toNodeListener } from '../../src/http/index.js';
import { BACKUP, FakeSession } from './support/fake-session.js';
import { API, DASHBOARD, TOKEN } from './support/http-stage.js';

const HEADERS = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

function makeHandler(): { session: FakeSession; handler: SessionHandler } {
  const session = new FakeSession();
  return { session, handler: createSessionHandler(session, { auth: TOKEN }) };
}

async function listen(listener: Parameters<typeof createServer>[1]): Promise<string> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('in Express', () => {
  it.each([
    ['without a parser', []],
    ['behind express.json()', [express.json()]],
    ['behind express.text()', [express.text({ type: '*/*' })]],
    ['behind express.raw()', [express.raw({ type: '*/*' })]],
    [
      'behind all of them',
      [express.json(), express.urlencoded({ extended: true }), express.text(), express.raw()],
    ],
  ])('%s it takes an action and a form', async (_what, parsers) => {
    const { session, handler } = makeHandler();
    const app = express();
    for (const parser of parsers) app.use(parser);
    app.use(toNodeListener(handler));
    app.use((_request, response) => {
      response.status(418).send('the next one');
    });
    const origin = await listen(app);
    const body = JSON.stringify({
      action: 'send-test-message',
      phoneNumber: '+20 123 456 7890',
      message: 'مرحبا',
    });
    const answer = await fetch(`${origin}${API}`, { method: 'POST', headers: HEADERS, body });
    expect(answer.status).toBe(200);
    expect(session.calls).toEqual([['sendTestMessage', '+20 123 456 7890', 'مرحبا']]);
    const login = await fetch(`${origin}${DASHBOARD}/login`, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ token: TOKEN }),
    });
    expect(login.status).toBe(303);
    expect((await fetch(`${origin}/other`)).status).toBe(418);
  });

  it('behind a parser that keeps the body elsewhere it says so, to whoever may know', async () => {
    const { session, handler } = makeHandler();
    const listener = toNodeListener(handler);
    const origin = await listen(async (request, response) => {
      for await (const _chunk of request);
      listener(request, response);
    });
    const ask = (headers: Record<string, string>, body?: string) =>
      fetch(`${origin}${API}`, { method: 'POST', headers, ...(body !== undefined && { body }) });
    const answer = await ask(HEADERS, '{"action":"backup"}');
    expect(answer.status).toBe(500);
    expect(await answer.text()).toMatch(/the body was read in front of the handler.*patchNode/);
    expect((await ask({ ...HEADERS, authorization: 'Bearer wrong' }, '{}')).status).toBe(401);
    expect((await ask(HEADERS)).status).toBe(400); // there was none
    expect(session.calls).toEqual([]);
  });

  it('below a path of its own, which the pages never name', async () => {
    const { handler } = makeHandler();
    const app = express();
    app.use('/bot', toNodeListener(handler));
    const origin = await listen(app);
    expect((await fetch(`${origin}/bot/healthz`)).status).toBe(200);
    const page = await fetch(`${origin}/bot${DASHBOARD}`);
    expect(await page.text()).toContain('action="persistent-session/login"');
    expect((await fetch(`${origin}/healthz`)).status).toBe(404);
  });

  it('behind middleware that sets a cookie both cookies are set', async () => {
    const app = express();
    app.use((_request, response, next) => {
      response.cookie('theirs', '1');
      next();
    });
    app.use(toNodeListener(makeHandler().handler));
    const answer = await fetch(`${await listen(app)}${DASHBOARD}/login`, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ token: TOKEN }),
    });
    expect(answer.headers.getSetCookie().map((cookie) => cookie.split(/[-=]/)[0])).toEqual([
      'theirs',
      'wwebjs',
    ]);
  });

  it('behind middleware that has answered already, its answer arrives whole', async () => {
    let release = () => {};
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    const handler = createSessionHandler(new FakeSession(), { auth: () => until.then(() => true) });
    const listener = toNodeListener(handler);
    let done: Promise<unknown> = Promise.resolve();
    const app = express();
    app.use((request, response, next) => {
      response.status(503).write('too '); // as middleware with a deadline does, while the handler still works
      listener(request, response, next);
      release();
      done = new Promise((resolve) => setImmediate(resolve)).then(() => response.end('slow'));
    });
    const answer = await fetch(`${await listen(app)}${API}`);
    expect([answer.status, await answer.text()]).toEqual([503, 'too slow']);
    await done;
  });

  it('behind a parser a body is bounded all the same', async () => {
    const { session, handler } = makeHandler();
    const app = express()
      .use(express.json({ limit: '10mb' }))
      .use(toNodeListener(handler));
    const body = JSON.stringify({ action: 'clear', confirm: 'x'.repeat(1_000_000) });
    const answer = await fetch(`${await listen(app)}${API}`, { method: 'POST', headers: HEADERS, body });
    expect(answer.status).toBe(413);
    expect(session.calls).toEqual([]);
  });
});

describe('over HTTP/2', () => {
  it('it answers, streams and takes an action as over HTTP/1.1', async () => {
    const { session, handler } = makeHandler();
    // Its requests and responses are those of node:http in all that the listener uses.
    const listener = toNodeListener(handler) as unknown as Parameters<typeof createHttp2Server>[1];
    const server = createHttp2Server(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    ends.push(async () => {
      client.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    const ask = async (headers: Record<string, string>, body?: string) => {
      const stream = client.request({ ...HEADERS, ...headers });
      stream.end(body);
      const [head] = (await once(stream, 'response')) as [Record<string, unknown>];
      const [first] = (await once(stream, 'data')) as [Buffer];
      stream.destroy();
      return [head[':status'], first.toString()];
    };
    expect(await ask({ ':path': API })).toEqual([200, expect.stringContaining('"success":true')]);
    expect(await ask({ ':path': `${API}/events` })).toEqual([200, expect.stringContaining('retry: ')]);
    const action = { ':method': 'POST', ':path': `${API}?wait` };
    expect(await ask(action, '{"action":"backup"}')).toEqual([200, expect.stringContaining(BACKUP.id)]);
    expect(session.called('backup')).toBe(1);
    expect(await ask({ ':path': API, authorization: '' })).toEqual([401, expect.any(String)]);
    const twoHosts = { ':path': API, ':authority': 'localhost', host: 'evil.example' };
    expect(await ask(twoHosts)).toEqual([400, expect.stringContaining('two hosts')]);
  });
});

describe('a client that leaves', () => {
  /** Asks, leaves as soon as the handler works on it, and lets the handler go on once the server knows. */
  async function askAndLeave(path: string, hold: (until: Promise<void>) => SessionHandler): Promise<void> {
    let proceed = () => {};
    const handler = hold(
      new Promise((resolve) => {
        proceed = resolve;
      }),
    );
    const gone = new Promise<void>((resolve) => {
      void listen((request, response) => {
        toNodeListener(handler)(request, response);
        response.once('close', resolve);
        client.destroy();
      }).then((origin) => client.connect(Number(new URL(origin).port), '127.0.0.1'));
    });
    const client = new Socket();
    client.once('connect', () => {
      client.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`);
    });
    await gone;
    proceed();
  }

  it('leaves no open file, though the copy is found only afterwards', async () => {
    const body = new Readable({ read: () => undefined }); // nobody has read it to its end
    await askAndLeave(`${API}/snapshots/${BACKUP.id}`, (until) => {
      const session = new FakeSession();
      session.answer('openBackup', () => until.then(() => ({ snapshot: BACKUP, body })));
      return createSessionHandler(session, { auth: TOKEN, allowDownload: true });
    });
    await vi.waitFor(() => expect(body.destroyed).toBe(true));
  });

  it('takes no place among the streams', async () => {
    let handler: SessionHandler | undefined;
    await askAndLeave(`${API}/events`, (until) => {
      handler = createSessionHandler(new FakeSession(), {
        auth: () => until.then(() => true),
        maxStreams: 1,
      });
      return handler;
    });
    await vi.waitFor(async () => {
      const answer = await handler?.(new Request(`http://x${API}/events`));
      expect(answer?.status).toBe(200);
      await answer?.body?.cancel();
    });
  });
});

describe('the Web-standard handler', () => {
  it('takes a base path off where the mount does not', async () => {
    const { session } = makeHandler();
    const { GET, POST } = createSessionHandler(session, { auth: TOKEN, basePath: '/bot' });
    const status = await GET(new Request(`https://bot.example/bot${API}`, { headers: HEADERS }));
    expect(status.status).toBe(200);
    expect((await GET(new Request(`https://bot.example${API}`, { headers: HEADERS }))).status).toBe(404);
    const request = { method: 'POST', headers: HEADERS, body: '{"action":"backup"}' };
    expect((await POST(new Request(`https://bot.example/bot${API}`, request))).status).toBe(202);
  });

  it('sets a Secure cookie over https', async () => {
    const { handler } = makeHandler();
    const body = new URLSearchParams({ token: TOKEN });
    const answer = await handler(
      new Request(`https://bot.example${DASHBOARD}/login`, { method: 'POST', body }),
    );
    expect(answer.headers.get('set-cookie')).toMatch(/^__Host-wwebjs-session-[0-9a-f]{8}=.*; Secure$/);
  });

  it('never rejects', async () => {
    const { session, handler } = makeHandler();
    session.status = () => {
      throw new Error('a bug');
    };
    const answer = await handler(new Request(`http://x${API}`, { headers: HEADERS }));
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('a bug');
  });

  it('can be mounted at other paths', async () => {
    const handler = createSessionHandler(new FakeSession(), {
      auth: TOKEN,
      apiPath: '/v1/session',
      dashboardPath: '/admin/session',
    });
    expect((await handler(new Request('http://x/v1/session', { headers: HEADERS }))).status).toBe(200);
    const page = await handler(new Request('http://x/admin/session', { headers: HEADERS }));
    expect((await page.text()).includes('data-api-url="../v1/session"')).toBe(true);
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { createApp } from '../../examples/fastify/server.js';
import { FakeSession } from './support/fake-session.js';
import { API, DASHBOARD, TOKEN } from './support/http-stage.js';

const HEADERS = { authorization: `Bearer ${TOKEN}` };

describe('the example for Fastify', () => {
  const ends: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  async function open() {
    const session = new FakeSession();
    const app = createApp(session, TOKEN);
    ends.push(() => app.close());
    app.get('/own', async () => 'own');
    app.post('/own', async ({ body }) => body);
    return { session, origin: await app.listen({ port: 0, host: '127.0.0.1' }) };
  }

  it('answers as the handler does, and leaves the other routes alone', async () => {
    const { session, origin } = await open();
    for (const path of ['/healthz', '/readyz', API, DASHBOARD]) {
      expect((await fetch(`${origin}${path}`, { headers: HEADERS })).status, path).toBe(200);
    }
    const body = '{"action":"backup"}';
    const headers = { ...HEADERS, 'content-type': 'application/json' };
    expect((await fetch(`${origin}${API}?wait`, { method: 'POST', headers, body })).status).toBe(200);
    expect(session.called('backup')).toBe(1);
    expect(await (await fetch(`${origin}/own`)).text()).toBe('own');
    expect(await (await fetch(`${origin}/own`, { method: 'POST', headers, body })).text()).toBe(body);
  });

  it.each(['text/plain', 'nonsense', 'application/json; charset=x; y'])(
    "has the handler's own errors for a body of the type %s",
    async (type) => {
      const { origin } = await open();
      const headers = { ...HEADERS, 'content-type': type };
      const answer = await fetch(`${origin}${API}`, { method: 'POST', headers, body: '{"action":' });
      expect(await answer.json()).toMatchObject({ success: false, error: { message: expect.any(String) } });
    },
  );

  it('closes with a stream open', async () => {
    const { origin } = await open();
    const stream = await fetch(`${origin}${API}/events`, { headers: HEADERS });
    const [end] = ends.splice(0);
    await end?.();
    expect(await stream.text()).toContain('stream:opened');
  });
});

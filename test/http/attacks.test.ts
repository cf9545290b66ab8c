import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { InvalidStateError, StoreError } from '../../src/index.js';
import { BACKUP } from './support/fake-session.js';
import { API, DASHBOARD, TOKEN, useHttpStage } from './support/http-stage.js';

const stage = useHttpStage();
const JSON_TYPE = { 'content-type': 'application/json' };
const MESSAGE = { action: 'send-test-message', phoneNumber: '201234567890', message: 'hi' };

function post(body: string, headers: Record<string, string> = JSON_TYPE) {
  return stage().call(API, { method: 'POST', headers, body });
}

describe('a body', () => {
  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'text/json',
    '',
  ])('of the type "%s" is refused', async (type) => {
    const { json, status } = await post('{"action":"clear"}', { 'content-type': type });
    expect(status).toBe(415);
    expect(json.error).toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE' });
  });

  it('that is compressed is refused: it could be a bomb', async () => {
    const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' };
    expect((await post('{"action":"clear"}', headers)).status).toBe(415);
  });

  it.each([
    ['not JSON', '{"action":'],
    ['empty', ''],
    ['a script', 'action=clear'],
    ['nested deeply', '['.repeat(30_000)],
    ['nested deeply and whole', `${'['.repeat(15_000)}${']'.repeat(15_000)}`],
    ['a list', '[{"action":"clear"}]'],
    ['a text', '"clear"'],
    ['null', 'null'],
    ['a field named __proto__', '{"action":"clear","__proto__":{"confirm":true}}'],
    ['a field named constructor', '{"action":"clear","constructor":{"prototype":{"x":1}}}'],
    ['an action named __proto__', '{"__proto__":{"action":"clear"}}'],
    ['nested in a field', `{"action":"verify","snapshotId":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`],
  ])('that is %s is refused', async (_what, body) => {
    expect((await post(body)).status).toBe(400);
    expect(stage().session.calls).toEqual([]);
    expect(({} as Record<string, unknown>).confirm).toBeUndefined();
  });

  it('that says it is huge is refused unread', async () => {
    const received = await stage().raw(
      `POST ${API} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n` +
        'Content-Length: 10000000000\r\n\r\n{',
    );
    expect(received).toMatch(/^HTTP\/1\.1 413 /);
    expect(received.toLowerCase()).toContain('connection: close');
  });

  it('that turns out to be huge is cut off', async () => {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 8192;
        controller.enqueue(new TextEncoder().encode(' '.repeat(8192)));
      },
    });
    const answer = await stage()
      .call(API, { method: 'POST', headers: JSON_TYPE, body: endless })
      .catch(() => undefined); // or the connection is closed under the writer
    if (answer) expect(answer.status).toBe(413);
    expect(sent).toBeLessThan(50_000_000);
    expect((await stage().call(API)).status).toBe(200);
  });

  it('that never ends is given up', async () => {
    const receiving = stage().raw(
      `POST ${API} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n` +
        'Content-Length: 100\r\n\r\n{"action":',
    );
    expect(await stage().clock.advanceUntil(receiving)).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('that is not UTF-8 is refused', async () => {
    const received = await stage().raw(
      `POST ${API} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${TOKEN}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 3\r\n\r\n"\u00ff',
    );
    expect(received).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('is read by who is let in only', async () => {
    const received = await stage().raw(
      `POST ${API} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 30000\r\n\r\n{`,
    );
    expect(received).toMatch(/^HTTP\/1\.1 401 /);
  });
});

describe('a method', () => {
  it('GET changes nothing, whatever it asks for', async () => {
    await stage().call(`${API}?action=clear&confirm=true`);
    await stage().call(API, { headers: { 'x-http-method-override': 'POST', 'x-method-override': 'POST' } });
    expect((await stage().call(`${DASHBOARD}/logout`)).status).toBe(405);
    const login = await stage().call(`${DASHBOARD}/login?token=${TOKEN}`, { bearer: false });
    expect(login.status).toBe(303);
    expect(login.headers.get('location')).not.toContain(TOKEN);
    expect(login.headers.getSetCookie()).toEqual([]);
    expect(stage().session.calls.map(([name]) => name)).toEqual(['checkHealth', 'listSnapshots'].reverse());
  });

  it('POST is no other one in disguise', async () => {
    const { status } = await stage().act(
      { action: 'backup', _method: 'DELETE' },
      { headers: { 'x-http-method-override': 'DELETE' } },
    );
    expect(status).toBe(400);
  });

  it.each(['PUT', 'PATCH', 'DELETE'])('%s is not possible', async (method) => {
    for (const path of [API, `${API}/events`, `${API}/snapshots/${BACKUP.id}`, DASHBOARD]) {
      const answer = await stage().call(path, { method });
      expect(answer.status).toBe(405);
      expect(answer.headers.get('allow')).toContain('OPTIONS');
      expect(answer.json.error).toMatchObject({ code: 'METHOD_NOT_ALLOWED' });
    }
    expect(stage().session.calls).toEqual([]);
  });

  it.each(['TRACE', 'PROPFIND'])('%s is no request at all', async (method) => {
    const received = await stage().raw(
      `${method} ${API} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`,
    );
    expect(received).toMatch(/^HTTP\/1\.1 40[05] /);
    expect(received).not.toContain(TOKEN);
  });

  it('HEAD is GET without the body', async () => {
    const answer = await stage().call(API, { method: 'HEAD' });
    expect(answer).toMatchObject({ status: 200, text: '' });
    expect((await stage().call(`${API}/events`, { method: 'HEAD' })).status).toBe(405);
  });

  it('OPTIONS allows no other origin anything', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
    expect((await stage().call(API, { method: 'OPTIONS', headers, bearer: false })).status).toBe(401);
    const answer = await stage().call(API, { method: 'OPTIONS', headers });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('allow')).toBe('GET, HEAD, POST, OPTIONS');
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('a path', () => {
  it.each([
    [`//healthz`],
    [`/${API}`],
    [`//evil.example${API}`],
    [`${API}/`],
    [`${API}/./events/`],
    [`${API}%2fevents`],
    [`${API}/snapshots/..%2f..%2fetc%2fpasswd`],
    [`${API}/snapshots/%2e%2e%2fhealthz`],
    [`${API}/snapshots/a/b`],
    [`${API}/snapshots/${BACKUP.id}%00.zip`],
    [`${API}/snapshots/${BACKUP.id}%0d%0aSet-Cookie:%20x=y`],
    [`${API}/snapshots/`],
    [`${API}/jobs/__proto__`],
    [`${API}/jobs/%0d%0aX: y`.replace(' ', '%20')],
    ['/HEALTHZ'],
    ['/__proto__'],
    ['/constructor'],
  ])('%s is nothing', async (path) => {
    stage().use({ allowDownload: true });
    const received = await stage().raw(
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`,
    );
    expect(received).toMatch(/^HTTP\/1\.1 404 /);
    expect(received).not.toMatch(/^(set-cookie|x): /im);
    expect(stage().session.calls).toEqual([]);
  });

  it.each([
    `${API}/../../../healthz/..${API}`,
    `/healthz/../..${API}`,
    `/%2e%2e${API}`,
    `/healthz/%2e%2e${API}`,
  ])('%s gets nobody past the door', async (path) => {
    const received = await stage().raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(received).toMatch(/^HTTP\/1\.1 40[14] /);
  });

  it.each(['*', 'http://evil.example/healthz', 'evil.example:443', 'healthz'])(
    '"%s" is none',
    async (target) => {
      const received = await stage().raw(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect(received).toMatch(/^HTTP\/1\.1 400 /);
    },
  );

  it('with a host that is none is served all the same', async () => {
    const received = await stage().raw(
      'GET /healthz HTTP/1.1\r\nHost: a b/<c>@x\r\nConnection: close\r\n\r\n',
    );
    expect(received).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('a download', () => {
  it('is off by default', async () => {
    const { json, status } = await stage().call(`${API}/snapshots/${BACKUP.id}`);
    expect(status).toBe(403);
    expect(json.error).toMatchObject({ code: 'DOWNLOAD_DISABLED' });
    expect(stage().session.calls).toEqual([]);
  });

  it('is one of a few at a time; one that ends makes room', async () => {
    stage().use({ allowDownload: true });
    const bodies: Readable[] = [];
    stage().session.answer('openBackup', async () => {
      const body = new Readable({ read: () => undefined });
      bodies.push(body);
      return { snapshot: BACKUP, body };
    });
    const path = `${API}/snapshots/${BACKUP.id}`;
    const ask = () =>
      stage().handler(new Request(`http://x${path}`, { headers: { authorization: `Bearer ${TOKEN}` } }));
    const answers = await Promise.all(Array.from({ length: 5 }, ask));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 429]);
    expect((await stage().call(path)).json.error).toMatchObject({ code: 'TOO_MANY_DOWNLOADS' });
    for (const body of bodies) body.destroy();
    stage().session.fail('openBackup', new StoreError('down'));
    for (let n = 0; n < 5; n++) await expect.poll(async () => (await ask()).status).toBe(502);
  });

  it('is an attachment that nobody stores', async () => {
    stage().use({ allowDownload: true });
    const { headers, text } = await stage().call(`${API}/snapshots/${BACKUP.id}`);
    expect(text).toBe('PK');
    expect(headers.get('content-disposition')).toBe(`attachment; filename="shop_${BACKUP.id}_run3.zip"`);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(stage().session.calls).toEqual([['openBackup', BACKUP.id]]);
  });

  it('of a save is refused', async () => {
    stage().use({ allowDownload: true });
    stage().session.fail('openBackup', new InvalidStateError('is a save'));
    expect((await stage().call(`${API}/snapshots/${BACKUP.id}`)).status).toBe(409);
  });
});

describe('test messages', () => {
  it('are limited, so that nobody is banned for spam', async () => {
    for (let n = 0; n < 5; n++) expect((await stage().act(MESSAGE)).status).toBe(200);
    const { json, headers } = await stage().act(MESSAGE);
    expect(json.error).toMatchObject({ code: 'RATE_LIMITED' });
    expect(headers.get('retry-after')).toBe('60');
    expect(stage().session.called('sendTestMessage')).toBe(5);
    await stage().clock.advance(60_000);
    expect((await stage().act(MESSAGE)).status).toBe(200);
  });
});

describe('jobs', () => {
  it('are bounded: too many at once are refused', async () => {
    stage().session.hang('verify');
    const id = (n: number) => `20261123T051409123Z-${n.toString(16).padStart(8, '0')}`;
    for (let n = 0; n < 16; n++) {
      expect((await stage().act({ action: 'verify', snapshotId: id(n) })).status).toBe(202);
    }
    expect((await stage().act({ action: 'verify', snapshotId: id(16) })).json.error).toMatchObject({
      code: 'TOO_MANY_JOBS',
    });
  });

  it('that ended are forgotten one day: the last 100 stay', async () => {
    const { json } = await stage().act({ action: 'prune' });
    for (let n = 0; n < 120; n++) await stage().act({ action: 'prune' }, { query: '?wait' });
    expect((await stage().call(`${API}/jobs/${(json.job as { id: string }).id}`)).status).toBe(404);
  });
});

describe('an error', () => {
  const SECRETS = ['hunter2secret', 'abcdefsecret', TOKEN];

  it.each([
    new StoreError(`postgres://bot:hunter2secret@db/x failed for password=hunter2secret`),
    new StoreError(`403: {"secretAccessKey": "abcdefsecret", "token":"abcdefsecret"}`),
    new StoreError(`Authorization: Bearer ${TOKEN}`),
    new StoreError(
      `the proxy https://u:hunter2secret@proxy said no\n    at Store.put (/app/node_modules/x.js:1:1)`,
    ),
    new Error(`hunter2secret\n    at connect (/app/index.js:1:1)`),
    Object.assign(new TypeError('hunter2secret'), { code: 'ECONNREFUSED', cause: 'abcdefsecret' }),
  ])('tells no secret and no stack: %s', async (error) => {
    const { session } = stage();
    const stream = await fetch(`${stage().origin}${API}/events`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    session.fail('backup', error);
    const { text } = await stage().act({ action: 'backup' }, { query: '?wait' });
    session.emit('backup:failed', { error: { code: 'STORE', message: error.message } });
    session.emit('warning', { code: 'store-unreachable', message: error.message });
    const status = await stage().call(API);
    stage().handler.close();
    for (const told of [text, status.text]) {
      for (const secret of SECRETS) expect(told).not.toContain(secret);
      expect(told).not.toMatch(/node_modules|index\.js|\\n/);
    }
    if (error instanceof StoreError) {
      for (const secret of SECRETS) expect(await streamed(stream)).not.toContain(secret);
    }
    expect(JSON.stringify(stage().logged)).toContain(error.message.slice(0, 4));
  });

  const cache = new WeakMap<Response, Promise<string>>();
  function streamed(response: Response): Promise<string> {
    const text = cache.get(response) ?? response.text();
    cache.set(response, text);
    return text;
  }

  it('never tells the QR', async () => {
    stage().session.moveTo('awaiting_qr');
    stage().session.client.emit('qr', '2@qr-secret,x');
    stage().session.fail('backup', new StoreError('cannot draw 2@qr-secret,x'));
    expect((await stage().act({ action: 'backup' }, { query: '?wait' })).text).not.toContain('qr-secret');
  });

  it('is short, whatever was thrown', async () => {
    stage().session.fail('backup', new StoreError('x'.repeat(100_000)));
    expect((await stage().act({ action: 'backup' }, { query: '?wait' })).text.length).toBeLessThan(700);
  });
});

describe('every response', () => {
  it.each([
    [API, true],
    [API, false],
    [DASHBOARD, true],
    [DASHBOARD, false],
    ['/healthz', false],
    [`${API}/qr.svg`, true],
    ['/nothing', true],
  ])('of %s (let in: %s) is guarded', async (path, bearer) => {
    const { headers } = await stage().call(path, { bearer });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
  });

  it('has another nonce', async () => {
    const nonce = async () => (await stage().call(DASHBOARD)).headers.get('content-security-policy');
    expect(await nonce()).not.toBe(await nonce());
  });
});

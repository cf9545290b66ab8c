import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { describe, expect, it } from 'vitest';
import { createSessionHandler, toNodeListener } from '../../src/http/index.js';
import { ConfigurationError, InvalidStateError, StoreError } from '../../src/index.js';
import { BACKUP, FakeSession } from './support/fake-session.js';
import { API, DASHBOARD, type HttpStage, TOKEN, useHttpStage } from './support/http-stage.js';
import { expectSecurityHeaders } from './support/security-headers.js';

const stage = useHttpStage();
const HOST = 'Host: localhost';
const LET_IN = `Authorization: Bearer ${TOKEN}`;
const JSON_TYPE = 'Content-Type: application/json';

/** Asks with the very bytes; the head of the answer. The connection is left at once: a stream would never end. */
async function head(method: string, target: string, lines: readonly string[] = [HOST, LET_IN], body = '') {
  const bytes = Buffer.byteLength(body);
  const length = body === '' ? [] : [`Content-Length: ${bytes}`];
  const text = [`${method} ${target} HTTP/1.1`, ...lines, ...length, 'Connection: close', '', body].join(
    '\r\n',
  );
  const [top = ''] = (await stage().firstBytes(text)).split('\r\n\r\n');
  const [status = '', ...fields] = top.split('\r\n');
  const headers = new Headers();
  for (const field of fields) {
    const at = field.indexOf(':');
    headers.append(field.slice(0, at), field.slice(at + 1).trim());
  }
  return { status: Number(status.split(' ')[1]), headers };
}

const act = (body: unknown, lines: readonly string[] = [HOST, LET_IN, JSON_TYPE]) =>
  head('POST', API, lines, typeof body === 'string' ? body : JSON.stringify(body));

type Ask = (stage: HttpStage) => ReturnType<typeof head>;

/** One for each way out of the handler and of the listener. */
const ANSWERS: readonly (readonly [what: string, status: number, ask: Ask])[] = [
  ['the status', 200, () => head('GET', API)],
  ['its HEAD', 200, () => head('HEAD', API)],
  ['OPTIONS', 204, () => head('OPTIONS', API)],
  ['the stream', 200, () => head('GET', `${API}/events`)],
  ['the page', 200, () => head('GET', DASHBOARD)],
  ['the form', 401, () => head('GET', DASHBOARD, [HOST])],
  ['the way from the form to the page', 303, () => head('GET', `${DASHBOARD}/login`)],
  ['a login', 200, () => head('POST', `${DASHBOARD}/login`, [HOST, JSON_TYPE], `{"token":"${TOKEN}"}`)],
  ['a login that fails', 401, () => head('POST', `${DASHBOARD}/login`, [HOST, JSON_TYPE], '{"token":"x"}')],
  ['a login without a token', 400, () => head('POST', `${DASHBOARD}/login`, [HOST, JSON_TYPE], '{}')],
  ['a logout', 200, () => head('POST', `${DASHBOARD}/logout`)],
  ['/healthz', 200, () => head('GET', '/healthz', [HOST])],
  ['/readyz', 200, () => head('GET', '/readyz')],
  [
    '/readyz while it is not',
    503,
    ({ session }) => {
      session.moveTo('reconnecting');
      return head('GET', '/readyz');
    },
  ],
  ['no QR', 404, () => head('GET', `${API}/qr.svg`)],
  [
    'a QR',
    200,
    ({ session }) => {
      session.moveTo('awaiting_qr');
      session.client.emit('qr', '2@x');
      return head('GET', `${API}/qr.svg`);
    },
  ],
  ['no download', 403, () => head('GET', `${API}/snapshots/${BACKUP.id}`)],
  [
    'a download',
    200,
    (s) => {
      s.use({ allowDownload: true });
      return head('GET', `${API}/snapshots/${BACKUP.id}`);
    },
  ],
  ['an unknown job', 404, () => head('GET', `${API}/jobs/x`)],
  ['nothing below the API', 404, () => head('GET', `${API}/x`)],
  ['nothing at all', 404, () => head('GET', '/x')],
  ['a caller without a token', 401, () => head('GET', API, [HOST])],
  ['a method that is none of ours', 405, () => head('DELETE', API)],
  ['an action', 200, () => act({ action: 'health-check' })],
  ['a job', 202, () => act({ action: 'backup' })],
  ['an unknown action', 400, () => act({ action: 'x' })],
  ['no JSON', 400, () => act('{')],
  ['another type', 415, () => act('{}', [HOST, LET_IN, 'Content-Type: text/plain'])],
  ['a body that is too long', 413, () => act('x'.repeat(40_000))],
  [
    'a page of another origin',
    403,
    (s) => {
      s.use({ auth: 'none' });
      return act({ action: 'clear' }, [HOST, JSON_TYPE, 'Origin: http://evil']);
    },
  ],
  [
    'a page that does not confirm',
    428,
    (s) => {
      s.use({ auth: 'none' });
      return act({ action: 'clear' }, [HOST, JSON_TYPE, 'Origin: http://localhost']);
    },
  ],
  ...(
    [
      [new StoreError('x'), 502],
      [new InvalidStateError('x'), 409],
      [new ConfigurationError('x'), 500],
      [new Error('x'), 500],
      ['not even an error', 500],
    ] as const
  ).map(
    ([error, status]) =>
      [
        `an action that fails with ${String(error)}`,
        status,
        ({ session }: HttpStage) => {
          session.fail('checkHealth', error as Error);
          return act({ action: 'health-check' });
        },
      ] as const,
  ),
  [
    'a bug',
    500,
    ({ session }) => {
      session.status = () => {
        throw new Error('a bug');
      };
      return head('GET', API);
    },
  ],
  [
    'too many wrong tokens',
    429,
    async () => {
      const guess = () => head('GET', API, [HOST, 'Authorization: Bearer x']);
      for (let n = 0; n < 10; n++) await guess();
      return guess();
    },
  ],
  [
    'a host that is none of ours',
    403,
    (s) => {
      s.use({ auth: 'none' });
      return head('GET', API, ['Host: evil.example']);
    },
  ],
  ['an absolute target', 400, () => head('GET', 'http://evil.example/healthz')],
  ['an absolute target at which we are', 400, () => head('GET', `http://localhost${API}`)],
  ['an asterisk', 400, () => head('OPTIONS', '*')],
  ['a path to be folded', 404, () => head('GET', `/x/..${API}`)],
  ['a method that fetch forbids', 400, () => head('TRACE', API)],
  ['a host that is no host', 400, () => head('GET', API, ['Host: :::', LET_IN])],
  ['two hosts', 400, () => head('GET', API, [HOST, 'Host: evil.example', LET_IN])],
];

describe('every answer is guarded', () => {
  it.each(ANSWERS)('%s (%i)', async (what, status, ask) => {
    const answer = await ask(stage());
    expect(answer.status).toBe(status);
    expectSecurityHeaders(answer.headers, what);
  });

  it('a body that never comes (408)', async () => {
    const lines = [`POST ${API} HTTP/1.1`, HOST, LET_IN, JSON_TYPE, 'Content-Length: 9', '', ''];
    const received = await stage().clock.advanceUntil(stage().raw(lines.join('\r\n')));
    expect(received).toMatch(/^HTTP\/1\.1 408 /);
    expect(received).toMatch(/^x-frame-options: DENY\r$/im);
  });

  it('also below Express, whatever stands in front', async () => {
    const handler = createSessionHandler(new FakeSession(), { auth: TOKEN });
    const app = express();
    app.use((_request, response, next) => {
      response.set({
        'X-Frame-Options': 'SAMEORIGIN',
        'Cache-Control': 'public',
        'Content-Security-Policy': '*',
      });
      next();
    });
    app.use(toNodeListener(handler));
    const server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { headers } = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${API}`);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expectSecurityHeaders(headers, 'behind Express');
  });
});

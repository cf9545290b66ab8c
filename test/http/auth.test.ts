import { describe, expect, it, vi } from 'vitest';
import { createSessionHandler, type SessionHandlerOptions } from '../../src/http/index.js';
import { BACKUP, FakeSession } from './support/fake-session.js';
import { API, DASHBOARD, TOKEN, useHttpStage } from './support/http-stage.js';

const compared = vi.hoisted(() => ({ lengths: [] as (readonly [number, number])[] }));
vi.mock('node:crypto', async (load) => {
  const real = await load<typeof import('node:crypto')>();
  const timingSafeEqual: typeof real.timingSafeEqual = (one, other) => {
    compared.lengths.push([one.byteLength, other.byteLength]);
    return real.timingSafeEqual(one, other);
  };
  return { ...real, timingSafeEqual };
});

const stage = useHttpStage();
const JSON_TYPE = { 'content-type': 'application/json' };
const PROTECTED = [
  ['GET', API],
  ['POST', API],
  ['GET', `${API}/events`],
  ['GET', `${API}/qr.svg`],
  ['GET', `${API}/snapshots/${BACKUP.id}`],
  ['GET', `${API}/jobs/00000000-0000-4000-8000-000000000000`],
  ['GET', `${API}/nothing`],
  ['GET', '/readyz'],
  ['POST', `${DASHBOARD}/logout`],
  ['OPTIONS', API],
  ['HEAD', API],
  ['DELETE', API],
] as const;

describe('the auth option', () => {
  it.each([
    [undefined],
    [null],
    [''],
    [true],
    ['none '],
    ['short-token'],
    ['a'.repeat(40)],
    [`${TOKEN} with blanks`],
    [`${TOKEN}\r\nset-cookie: x`],
    ['ر'.repeat(40)],
    ['x0y1z2w3'.repeat(65)],
  ])('%j is refused', (auth) => {
    const make = () => createSessionHandler(new FakeSession(), { auth } as SessionHandlerOptions);
    expect(make).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
    if (typeof auth === 'string' && auth.length > 10) expect(make).not.toThrow(auth);
  });

  it('that comes from a variable which is not set compiles, and is refused in these words', () => {
    const make = () => createSessionHandler(new FakeSession(), { auth: process.env.A_TOKEN_NOBODY_HAS_SET });
    expect(make).toThrow(/^auth: undefined \(is the variable that it is read from set\?\)/);
  });

  it('must be given, as an option of a known name', () => {
    for (const options of [
      undefined,
      {},
      { auth: TOKEN, alowDownload: true },
      { auth: TOKEN, apiPath: 'x' },
    ]) {
      const make = () => createSessionHandler(new FakeSession(), options as SessionHandlerOptions);
      expect(make).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
    }
  });
});

describe('a bearer token', () => {
  it.each(PROTECTED)('is needed for %s %s', async (method, path) => {
    const answer = await stage().call(path, { method, bearer: false });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(stage().session.calls).toEqual([]);
  });

  it.each([
    'Bearer wrong',
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer ${TOKEN.toUpperCase()}`,
    'Bearer ',
    'Bearer',
    `Token ${TOKEN}`,
    `Basic ${Buffer.from(`user:${TOKEN}`).toString('base64')}`,
    `Bearer ${'x'.repeat(8000)}`,
    TOKEN,
  ])('is refused as %s', async (authorization) => {
    expect((await stage().call(API, { bearer: false, headers: { authorization } })).status).toBe(401);
  });

  it('counts nowhere but in its header', async () => {
    const headers = { cookie: `wwebjs-session=${TOKEN}`, 'x-api-key': TOKEN };
    const path = `${API}?token=${TOKEN}&access_token=${TOKEN}`;
    expect((await stage().call(path, { bearer: false, headers })).status).toBe(401);
  });

  it('is compared by a hash of fixed length, in constant time', async () => {
    compared.lengths.length = 0;
    await stage().call(API);
    await stage().call(API, { bearer: false, headers: { authorization: 'Bearer x' } });
    expect(compared.lengths).toEqual([
      [32, 32],
      [32, 32],
    ]);
  });

  it('that is wrong too often is told to wait, and the right one still works', async () => {
    const guess = (n: number) =>
      stage().call(API, { bearer: false, headers: { authorization: `Bearer guess-${n}` } });
    for (let n = 0; n < 10; n++) expect((await guess(n)).status).toBe(401);
    const limited = await guess(11);
    expect(limited.json.error).toMatchObject({ code: 'RATE_LIMITED' });
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await stage().call(API)).status).toBe(200);
    await stage().clock.advance(60_000);
    expect((await guess(12)).status).toBe(401);
  });
});

describe('an auth function', () => {
  const ask = () => stage().call(API, { bearer: false, headers: { 'x-user': 'admin' } });

  it('decides by the request', async () => {
    stage().use({ auth: (request) => request.headers.get('x-user') === 'admin' });
    expect((await ask()).status).toBe(200);
    expect((await stage().call(API)).status).toBe(401);
  });

  it.each([
    ['throws', () => Promise.reject(new Error(`no database at postgres://u:secret@db`))],
    ['answers with something that is not true', () => 1 as unknown as boolean],
    ['answers with an object', () => ({}) as unknown as boolean],
  ])('that %s refuses', async (_what, auth) => {
    stage().use({ auth });
    const { status, text } = await ask();
    expect(status).toBe(401);
    expect(text).not.toContain('secret');
  });

  it('that never answers refuses', async () => {
    stage().use({ auth: () => new Promise(() => undefined) });
    expect((await stage().clock.advanceUntil(ask())).status).toBe(401);
  });

  it("has no login form of the dashboard's", async () => {
    stage().use({ auth: () => false });
    const page = await stage().call(DASHBOARD);
    expect(page.status).toBe(401);
    expect(page.text).not.toContain('<form');
    const login = await stage().call(`${DASHBOARD}/login`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: '{}',
    });
    expect(login.status).toBe(404);
  });
});

describe('a page of another origin, where a function decides', () => {
  const bySid = (request: Request) => /(^|; )sid=good/.test(request.headers.get('cookie') ?? '');
  const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
  const ask = (path: string, headers: Record<string, string>) =>
    stage().call(path, { bearer: false, headers });

  it.each([
    API,
    `${API}/events`,
    `${API}/qr.svg`,
    `${API}/snapshots/${BACKUP.id}`,
    `${API}/jobs/00000000-0000-4000-8000-000000000000`,
    '/readyz',
    DASHBOARD,
  ])('does not read %s by the cookie of a user', async (path) => {
    stage().use({ auth: bySid, allowDownload: true });
    const answer = await ask(path, { cookie: 'sid=good', ...foreign });
    expect(answer.status).toBe(403);
    expect(answer.json.error).toMatchObject({ code: 'FORBIDDEN_ORIGIN' });
  });

  it.each([
    ['a made-up bearer token beside it', { cookie: 'sid=good', authorization: 'Bearer x', ...foreign }],
    ['an opaque origin', { cookie: 'sid=good', origin: 'null' }],
    ['another site of the same domain', { cookie: 'sid=good', ...foreign, 'sec-fetch-site': 'same-site' }],
  ])('does not with %s', async (_what, headers) => {
    stage().use({ auth: bySid });
    expect((await ask(API, headers)).status).toBe(403);
  });

  it.each([
    ['the password that the browser has kept', { authorization: 'Basic dTpw' }],
    ['nothing but its place', {}],
  ])('does not by %s', async (_what, headers) => {
    stage().use({ auth: () => true });
    expect((await ask(API, { ...headers, ...foreign })).status).toBe(403);
  });

  it('reads with a token that it knows', async () => {
    stage().use({ auth: (request) => request.headers.get('authorization') === 'Bearer secret' });
    expect((await ask(API, { authorization: 'Bearer secret', ...foreign })).status).toBe(200);
  });

  it.each([
    ['a program that is no browser', { cookie: 'sid=good' }],
    ['a link that leads here', { cookie: 'sid=good', 'sec-fetch-site': 'cross-site' }],
    [
      'the page itself',
      { cookie: 'sid=good', 'sec-fetch-site': 'same-origin', origin: 'http://behind.proxy' },
    ],
  ])('is told from %s', async (_what, headers) => {
    stage().use({ auth: bySid });
    expect((await ask(API, headers)).status).toBe(200);
  });
});

describe("'none'", () => {
  it('lets anybody in, but no page of another origin', async () => {
    stage().use({ auth: 'none' });
    expect((await stage().act({ action: 'backup' }, { bearer: false })).status).toBe(202);
    for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
      const { json } = await stage().act({ action: 'clear', confirm: true }, { bearer: false, headers });
      expect(json.error).toMatchObject({ code: 'FORBIDDEN_ORIGIN' });
    }
    expect(stage().session.called('clear')).toBe(0);
  });

  it.each([
    ['evil.example:3000', 403],
    ['localhost.evil.example', 403],
    ['[::1]:3000', 200],
    ['LOCALHOST', 200],
    ['bot.example', 403],
  ])('answers only to its own host names: %s', async (host, status) => {
    stage().use({ auth: 'none' });
    const received = await stage().raw(`GET ${API} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(received).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    if (status === 403) expect(received).toContain('FORBIDDEN_HOST');
  });

  it('takes other host names, and through a proxy the one that was asked', async () => {
    stage().use({ auth: 'none', allowedHosts: ['Bot.example'], trustProxy: true });
    const ask = (headers: Record<string, string>) => stage().call(API, { bearer: false, headers });
    expect((await ask({ 'x-forwarded-host': 'bot.example' })).status).toBe(200);
    expect((await ask({ 'x-forwarded-host': 'evil.example' })).json.error).toMatchObject({
      code: 'FORBIDDEN_HOST',
    });
    expect((await ask({})).status).toBe(403);
    expect((await stage().call('/healthz', { bearer: false })).status).toBe(200);
  });

  it.each([
    [['bot.example:80']],
    [['*']],
    [['*.bot.example']],
    [[]],
    ['bot.example'],
    [['https://bot.example']],
    [[7]],
    [['a b']],
  ])('refuses host names that are none: %j', (allowedHosts) => {
    expect(() => stage().use({ auth: 'none', allowedHosts: allowedHosts as string[] })).toThrow(
      /^allowedHosts: .*host names/,
    );
  });

  it('asks a page to confirm', async () => {
    stage().use({ auth: 'none' });
    const headers = { origin: stage().origin };
    expect((await stage().act({ action: 'clear' }, { bearer: false, headers })).status).toBe(428);
  });
});

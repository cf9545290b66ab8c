import { describe, expect, it } from 'vitest';
import { clientView } from '../../src/http/connection.js';
import { API, DASHBOARD, useHttpStage } from './support/http-stage.js';

const stage = useHttpStage();
const JSON_TYPE = { 'content-type': 'application/json' };

function view(headers: Record<string, string>, trustProxy = true) {
  const request = new Request('http://127.0.0.1:3000/healthz', { headers });
  return clientView(request, { remoteAddress: '10.0.0.2' }, trustProxy);
}

describe('behind a trusted proxy', () => {
  it('the last value of each header counts: those before it are whatever the client sent', () => {
    const headers = {
      'x-forwarded-for': '1.1.1.1, 2.2.2.2',
      'x-forwarded-proto': 'https, http',
      'x-forwarded-host': 'localhost, evil.example',
    };
    expect(view(headers)).toEqual({ isSecure: false, host: 'evil.example', address: '2.2.2.2' });
    expect(view({ 'x-forwarded-proto': 'http,https' }).isSecure).toBe(true);
  });

  it('what the proxy does not say is taken from the connection', () => {
    const host = { host: 'Bot.Example' };
    expect(view(host)).toEqual({ isSecure: false, host: 'bot.example', address: '10.0.0.2' });
    for (const nothing of ['', ' ', 'x, ']) {
      const headers = { ...host, 'x-forwarded-for': nothing, 'x-forwarded-host': nothing };
      expect(view(headers)).toMatchObject({ host: 'bot.example', address: '10.0.0.2' });
    }
  });

  it.each([
    ['1.2.3.4:5678', '1.2.3.4'],
    ['[2001:db8::1]:5678', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['unknown', '10.0.0.2'],
    ['_hidden', '10.0.0.2'],
    ['x'.repeat(8000), '10.0.0.2'],
  ])('of %s the address is %s', (forwarded, address) => {
    expect(view({ 'x-forwarded-for': `9.9.9.9, ${forwarded}` }).address).toBe(address);
  });

  it('the port that a scheme has anyway is no other host', () => {
    expect(view({ 'x-forwarded-host': 'bot.example:443', 'x-forwarded-proto': 'https' }).host).toBe(
      'bot.example',
    );
    expect(view({ 'x-forwarded-host': 'bot.example:80' }).host).toBe('bot.example');
    expect(view({ 'x-forwarded-host': 'bot.example:443' }).host).toBe('bot.example:443');
    expect(view({ 'x-forwarded-host': '[::1]:80' }).host).toBe('[::1]');
  });

  it('without trust nothing of it counts', () => {
    const headers = { 'x-forwarded-for': '1.1.1.1', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'x' };
    expect(view({ ...headers, host: 'real' }, false)).toEqual({
      isSecure: false,
      host: 'real',
      address: '10.0.0.2',
    });
  });

  it('a name that a client puts in front opens nothing (DNS rebinding)', async () => {
    stage().use({ auth: 'none', allowedHosts: ['bot.example'], trustProxy: true });
    const ask = (host: string) => stage().call(API, { bearer: false, headers: { 'x-forwarded-host': host } });
    expect((await ask('bot.example, evil.example')).status).toBe(403);
    expect((await ask('evil.example, bot.example')).status).toBe(200);
  });

  it('a changed Host and a foreign page: the name that the proxy saw decides', async () => {
    stage().use({ trustProxy: true });
    const cookie = await stage().logIn();
    const act = (headers: Record<string, string>) =>
      stage().act({ action: 'backup' }, { bearer: false, headers: { cookie, ...headers } });
    const forwarded = { 'x-forwarded-host': 'evil.example, bot.example' };
    expect((await act({ ...forwarded, origin: 'http://evil.example' })).status).toBe(403);
    expect((await act({ ...forwarded, origin: 'http://bot.example' })).status).toBe(202);
    const shown = { 'x-forwarded-host': 'bot.example:80', origin: 'http://bot.example' };
    expect((await act(shown)).status).toBe(202);
  });

  it('a Secure cookie is set by what the nearest proxy says', async () => {
    stage().use({ trustProxy: true });
    const cookieFor = async (proto: string) => {
      const headers = { ...JSON_TYPE, 'x-forwarded-proto': proto };
      const body = JSON.stringify({ token: 'x' });
      await stage().call(`${DASHBOARD}/login`, { method: 'POST', bearer: false, headers, body });
      return stage().logIn({ 'x-forwarded-proto': proto });
    };
    expect(await cookieFor('http, https')).toMatch(/^__Host-/);
    expect(await cookieFor('https, http')).not.toMatch(/^__Host-/);
  });
});

describe('a page of another origin', () => {
  const FOREIGN = [
    { origin: 'https://evil.example' },
    { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' },
    { origin: 'null' },
  ];

  it.each(FOREIGN)('reads nothing, though middleware in front allows every origin: %j', async (headers) => {
    stage().use({ auth: 'none' });
    for (const path of [API, `${API}/events`, `${API}/qr.svg`, DASHBOARD]) {
      const { json } = await stage().call(path, { bearer: false, headers });
      expect(json.error, path).toMatchObject({ code: 'FORBIDDEN_ORIGIN' });
    }
    stage().use({});
    const cookie = await stage().logIn();
    const { json } = await stage().call(API, { bearer: false, headers: { ...headers, cookie } });
    expect(json.error).toMatchObject({ code: 'FORBIDDEN_ORIGIN' });
  });

  it('may lead a person here, and a page of ours may read', async () => {
    stage().use({ auth: 'none' });
    const ask = (headers: Record<string, string>) => stage().call(DASHBOARD, { bearer: false, headers });
    expect((await ask({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' })).status).toBe(200);
    expect((await ask({ origin: stage().origin })).status).toBe(200);
    expect((await ask({ origin: 'http://changed-by-a-proxy', 'sec-fetch-site': 'same-origin' })).status).toBe(
      200,
    );
  });

  it('that knows the token is the owner', async () => {
    expect((await stage().call(API, { headers: { origin: 'https://own.example' } })).status).toBe(200);
  });
});

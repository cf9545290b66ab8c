import { describe, expect, it } from 'vitest';
import { API, type Called, DASHBOARD, TOKEN, useHttpStage } from './support/http-stage.js';

const stage = useHttpStage();

function sendForm(token: string, headers: Record<string, string> = {}, query = ''): Promise<Called> {
  return stage().call(`${DASHBOARD}/login${query}`, {
    method: 'POST',
    bearer: false,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams({ token }).toString(),
  });
}

describe('the login form', () => {
  it('stands where the dashboard would, and leads to it', async () => {
    const form = await stage().call(DASHBOARD, { bearer: false });
    expect(form.status).toBe(401);
    expect(form.text).toContain('action="persistent-session/login"');
    const answer = await sendForm(TOKEN, { origin: stage().origin });
    expect(answer.status).toBe(303);
    expect(
      new URL(answer.headers.get('location') ?? '', `${stage().origin}${DASHBOARD}/login`).pathname,
    ).toBe(DASHBOARD);
    const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    expect((await stage().call(DASHBOARD, { bearer: false, headers: { cookie } })).status).toBe(200);
  });

  it('is shown in Arabic to who prefers it', async () => {
    const ask = (headers: Record<string, string>, query = '') =>
      stage().call(`${DASHBOARD}${query}`, { bearer: false, headers });
    expect((await ask({ 'accept-language': 'ar-EG,en;q=0.5' })).text).toContain('lang="ar" dir="rtl"');
    expect((await ask({ 'accept-language': 'fr,ar;q=0.2,en;q=0.5' })).text).toContain('lang="en"');
    expect((await ask({ 'accept-language': 'en' }, '?lang=ar')).text).toContain('lang="ar"');
  });

  it('is shown again after a wrong token', async () => {
    const answer = await sendForm('wrong');
    expect(answer.status).toBe(401);
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(answer.text).toContain('role="alert"');
    expect(answer.text).toContain('action="login"');
  });

  it.each(['ar', 'en'])('keeps ?lang=%s from the first look to the logout', async (lang) => {
    const query = `?lang=${lang}`;
    const other = { 'accept-language': lang === 'ar' ? 'en' : 'ar' };
    const form = await stage().call(`${DASHBOARD}${query}`, { bearer: false, headers: other });
    expect(form.text).toContain(`action="persistent-session/login${query}"`);
    const again = await sendForm('wrong', other, query);
    expect(again.text).toContain(`<html lang="${lang}"`);
    expect(again.text).toContain(`action="login${query}"`);
    const answer = await sendForm(TOKEN, other, query);
    expect(answer.headers.get('location')).toBe(`../persistent-session${query}`);
    const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const logout = await stage().call(`${DASHBOARD}/logout${query}`, {
      method: 'POST',
      bearer: false,
      headers: { cookie, origin: stage().origin, accept: 'text/html' },
    });
    expect(logout.headers.get('location')).toBe(`../persistent-session${query}`);
  });

  it.each(['?lang=fr', '?lang=', '?lang=%0d%0aX:1', '?lang=//evil.example'])(
    'leads to the dashboard alone for %s',
    async (query) => {
      expect((await sendForm(TOKEN, {}, query)).headers.get('location')).toBe('../persistent-session');
    },
  );

  it.each([
    ['', { bearer: true }],
    ['?lang=ar', { bearer: false }],
    ['?lang=fr', { bearer: false }],
  ])('is found by who asks for its own address%s', async (query, who) => {
    for (const method of ['GET', 'HEAD']) {
      const { status, headers } = await stage().call(`${DASHBOARD}/login${query}`, { method, ...who });
      expect(status).toBe(303);
      expect(headers.get('location')).toBe(`../persistent-session${query === '?lang=ar' ? query : ''}`);
    }
  });

  it('does not even ask who was wrong too often, with the right token neither', async () => {
    for (let n = 0; n < 10; n++) await sendForm(`guess ${n}`);
    const answer = await sendForm(TOKEN);
    expect(answer.status).toBe(429);
    expect(answer.headers.getSetCookie()).toEqual([]);
    await stage().clock.advance(60_001);
    expect((await sendForm(TOKEN)).status).toBe(303);
  });

  it('is not for pages of another origin, which would log a person in as somebody else', async () => {
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ]) {
      expect((await sendForm(TOKEN, headers)).json.error).toMatchObject({ code: 'FORBIDDEN_ORIGIN' });
    }
  });

  it.each([['{"token":5}'], ['{}'], ['[]'], ['null']])('takes no %s', async (body) => {
    const headers = { 'content-type': 'application/json' };
    expect((await stage().call(`${DASHBOARD}/login`, { method: 'POST', headers, body })).status).toBe(400);
  });
});

describe('wrong tokens', () => {
  const FROM = (address: string) => ({ 'x-forwarded-for': address });

  it.each([
    ['9.9.9.9, 1.2.3.4', '1.2.3.4'],
    ['1.2.3.4:1001', '1.2.3.4:1002'],
    ['[2001:db8::1]:1001', '[2001:db8::1]:1002'],
    ['[2001:db8::1]', '2001:db8::1'],
  ])('from %s close the form to %s, and to nobody else', async (one, same) => {
    stage().use({ trustProxy: true });
    for (let n = 0; n < 10; n++) await sendForm(`wrong-${n}`, FROM(one));
    expect((await sendForm(TOKEN, FROM(same))).status).toBe(429);
    expect((await sendForm(TOKEN, FROM('5.6.7.8'))).status).toBe(303);
  });

  it('close no form where addresses are not known: one visitor could close it to all', async () => {
    const logIn = (token: string) => {
      const body = new URLSearchParams({ token });
      return stage().handler(new Request(`http://x${DASHBOARD}/login`, { method: 'POST', body }));
    };
    for (let n = 0; n < 10; n++) expect((await logIn(`wrong-${n}`)).status).toBe(401);
    expect((await logIn('wrong-11')).status).toBe(429);
    expect((await logIn(TOKEN)).status).toBe(303);
  });
});

describe('the cookie', () => {
  it('is out of reach for scripts and other sites', async () => {
    const [cookie = ''] = (await sendForm(TOKEN)).headers.getSetCookie();
    expect(cookie).toMatch(
      /^wwebjs-session-[0-9a-f]{8}=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    );
    expect(cookie).not.toContain(TOKEN);
  });

  it('is Secure behind a trusted proxy that speaks https, and only a trusted one is believed', async () => {
    const proxied = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '1.2.3.4' };
    expect((await sendForm(TOKEN, proxied)).headers.getSetCookie()[0]).not.toContain('Secure');
    stage().use({ trustProxy: true });
    const [cookie = ''] = (await sendForm(TOKEN, proxied)).headers.getSetCookie();
    expect(cookie).toMatch(/^__Host-wwebjs-session-[0-9a-f]{8}=.*; Secure$/);
    const headers = { ...proxied, cookie: cookie.split(';')[0] ?? '' };
    expect((await stage().call(API, { bearer: false, headers })).status).toBe(200);
  });

  it('expires', async () => {
    const cookie = await stage().logIn();
    const ask = () => stage().call(API, { bearer: false, headers: { cookie } });
    await stage().clock.advance(12 * 60 * 60 * 1000 - 1);
    expect((await ask()).status).toBe(200);
    await stage().clock.advance(1);
    expect((await ask()).status).toBe(401);
  });

  it('ends with the logout, and every stream with it', async () => {
    const cookie = await stage().logIn();
    const headers = { cookie, origin: stage().origin };
    const stream = await fetch(`${stage().origin}${API}/events`, { headers });
    const answer = await stage().call(`${DASHBOARD}/logout`, { method: 'POST', bearer: false, headers });
    expect(answer.json).toEqual({ success: true });
    expect(answer.headers.getSetCookie()[0]).toContain('Max-Age=0');
    expect(await stream.text()).toContain('stream:opened'); // it ends
    expect((await stage().call(API, { bearer: false, headers })).status).toBe(401);
  });

  it('that was made up, or cut, is nothing', async () => {
    const cookie = await stage().logIn();
    const name = cookie.slice(0, cookie.indexOf('='));
    for (const forged of [`${name}=x`, cookie.slice(0, -1), `${cookie}x`, `${name}=${'a'.repeat(9000)}`]) {
      expect((await stage().call(API, { bearer: false, headers: { cookie: forged } })).status).toBe(401);
    }
  });

  it('has a name of its own for each bot on a host, and the same after a restart', async () => {
    const nameOf = (cookie: string) => cookie.slice(0, cookie.indexOf('='));
    const first = nameOf(await stage().logIn());
    stage().use({});
    expect(nameOf(await stage().logIn())).toBe(first);
    stage().session.statusPatch = { clientId: 'other' };
    stage().use({});
    expect(nameOf(await stage().logIn())).not.toBe(first);
  });

  it('of the oldest login makes room: their number is bounded', async () => {
    const first = await stage().logIn();
    for (let n = 0; n < 100; n++) await stage().logIn();
    expect((await stage().call(API, { bearer: false, headers: { cookie: first } })).status).toBe(401);
  });
});

describe('a change that is asked for with a cookie', () => {
  const act = async (body: object, headers: Record<string, string>) => {
    const cookie = await stage().logIn();
    return stage().act(body, { bearer: false, headers: { cookie, ...headers } });
  };

  it.each([
    ['no word of where it comes from', {}],
    ['another origin', { origin: 'https://evil.example' }],
    ['another port of this host', { origin: 'http://127.0.0.1:1' }],
    ['an opaque origin', { origin: 'null' }],
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['another host of this site', { 'sec-fetch-site': 'same-site' }],
    ['an address typed by hand', { 'sec-fetch-site': 'none' }],
    ['only a referrer', { referer: 'http://127.0.0.1/persistent-session' }],
  ])('is refused with %s', async (_what, headers) => {
    const { json } = await act({ action: 'backup' }, headers as Record<string, string>);
    expect(json.error).toMatchObject({ code: 'FORBIDDEN_ORIGIN' });
    expect(stage().session.calls).toEqual([]);
  });

  it('is done for the own page', async () => {
    expect((await act({ action: 'backup' }, { origin: stage().origin })).status).toBe(202);
    expect((await act({ action: 'backup' }, { 'sec-fetch-site': 'same-origin' })).status).toBe(202);
  });

  it.each(['clear', 'restore'])(
    '%s must be confirmed; a bearer call keeps the documented body',
    async (action) => {
      const headers = { origin: stage().origin };
      for (const body of [{ action }, { action, confirm: false }]) {
        expect((await act(body, headers)).json.error).toMatchObject({ code: 'CONFIRMATION_REQUIRED' });
      }
      expect(stage().session.calls).toEqual([]);
      expect((await act({ action, confirm: true }, headers)).status).toBe(202);
      expect((await stage().act({ action })).status).toBe(202);
    },
  );
});

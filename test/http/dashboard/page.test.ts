import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundleDashboard, GENERATED } from '../../../scripts/dashboard/bundle.js';
import { type LoginPageContext, loginPage } from '../../../src/http/dashboard/login-page.js';
import { dashboardPage, type PageContext } from '../../../src/http/dashboard/page.js';

const CLIENT = 'src/http/dashboard/client';
const MAX_BYTES = 120_000;

const page = (context: Partial<PageContext> = {}): string =>
  dashboardPage({ nonce: 'n0nce', locale: 'en', apiUrl: 'api/x', allowDownload: false, ...context });
const login = (context: Partial<LoginPageContext> = {}): string =>
  loginPage({
    nonce: 'n0nce',
    locale: 'en',
    loginUrl: 'persistent-session/login',
    dashboardUrl: 'persistent-session',
    ...context,
  });

describe.each([
  ['the dashboard', page],
  ['the login form', login],
])('%s', (_, draw: (context?: { locale?: 'ar' | 'en' }) => string) => {
  it('is written from left to right in English, from right to left in Arabic', () => {
    expect(draw({ locale: 'en' })).toContain('<html lang="en" dir="ltr">');
    expect(draw({ locale: 'ar' })).toContain('<html lang="ar" dir="rtl">');
  });

  it('gives the nonce to every script and style', () => {
    const elements = withoutContents(draw()).match(/<(script|style)\b[^>]*>/g) ?? [];
    expect(elements.length).toBeGreaterThanOrEqual(3);
    for (const element of elements) expect(element).toContain('nonce="n0nce"');
  });

  it('has no style and no handler on an element', () => {
    expect(withoutContents(draw())).not.toMatch(/<[^>]*\s(style|on\w+)=/);
  });

  it('loads nothing from anywhere', () => {
    const html = draw().replaceAll(/https?:\/\/www\.w3\.org\/[\w/]+/g, ''); // names of namespaces
    expect(html).not.toMatch(/https?:\/\/|["'(]\/\/|@import|url\(/);
    expect(withoutContents(html)).not.toMatch(/<(link|img|iframe|object)\b(?![^>]*href="data:)/);
  });
});

describe('the dashboard', () => {
  it('is small', () => {
    expect(Buffer.byteLength(page())).toBeLessThan(MAX_BYTES);
  });

  it('tells its script where the API is, whatever is in the name', () => {
    const html = page({ apiUrl: '"><script>alert(1)</script>', logoutUrl: 'out', allowDownload: true });
    expect(html).toContain('data-api-url="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"');
    expect(html).toContain('data-logout-url="out"');
    expect(html).toContain('data-allow-download="true"');
    expect(page()).not.toContain('data-logout-url');
  });

  it('is up to date with its sources (`npm run build:dashboard`)', async () => {
    expect(readFileSync(GENERATED, 'utf8')).toBe(await bundleDashboard());
  });

  it('never turns a text into HTML or code', () => {
    const sources = readdirSync(CLIENT, { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.tsx?$/.test(path))
      .map((path) => [path, readFileSync(join(CLIENT, path), 'utf8')] as const);
    expect(sources.length).toBeGreaterThan(30);
    const forbidden = sources.filter(([, text]) =>
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|javascript:/i.test(text),
    );
    expect(forbidden.map(([path]) => path)).toEqual([]);
  });
});

describe('the login form', () => {
  it('works without a script, and leads to the other language', () => {
    const html = login({ locale: 'ar', loginUrl: 'persistent-session/login?lang=ar' });
    expect(html).toContain('<form class="form" method="post" action="persistent-session/login?lang=ar">');
    expect(html).toContain('href="persistent-session?lang=en" lang="en" hreflang="en"');
  });

  it('says what was wrong', () => {
    expect(login()).not.toContain('role="alert"');
    expect(login({ locale: 'ar', problem: 'wrong-token' })).toMatch(/role="alert">رمز الدخول غير صحيح/);
    expect(login({ problem: 'too-many' })).toMatch(/role="alert">Too many attempts/);
  });

  it('has no form where the login is not its own', () => {
    const { loginUrl: _, ...context } = {
      nonce: 'n',
      locale: 'en',
      dashboardUrl: 'd',
      loginUrl: '',
    } as const;
    expect(loginPage(context)).not.toContain('<form');
  });
});

/** The elements alone: what stands in scripts and styles is no HTML. */
function withoutContents(html: string): string {
  return html.replace(/(<(script|style)\b[^>]*>)[\s\S]*?<\/\2>/g, '$1');
}

import { expect } from 'vitest';

/** What every answer carries, whatever it says. */
export function expectSecurityHeaders(headers: Headers, what: string): void {
  const of = (name: string) => headers.get(name) ?? '';
  expect(of('cache-control'), what).toMatch(/^no-store(, no-transform)?$/);
  expect(of('cross-origin-opener-policy'), what).toBe('same-origin');
  expect(of('cross-origin-resource-policy'), what).toBe('same-origin');
  expect(of('permissions-policy'), what).toContain('camera=()');
  expect(of('referrer-policy'), what).toBe('same-origin');
  expect(of('x-content-type-options'), what).toBe('nosniff');
  expect(of('x-frame-options'), what).toBe('DENY');
  const policy = of('content-security-policy');
  expect(policy, what).toContain("default-src 'none'");
  expect(policy, what).toContain("frame-ancestors 'none'");
  expect(policy, what).not.toMatch(/unsafe|https?:|\*/);
  expect(
    [...headers.keys()].filter((name) => name.startsWith('access-control')),
    what,
  ).toEqual([]);
}

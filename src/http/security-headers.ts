import { randomBytes } from 'node:crypto';

const ALWAYS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  // With `no-referrer`, a browser would send `Origin: null` with the login form, which would be refused.
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

const NOTHING = "default-src 'none'; frame-ancestors 'none'";

/** A new nonce: only scripts and styles that have it are allowed. */
export function newNonce(): string {
  return randomBytes(16).toString('base64');
}

/** Makes an HTML response from a document whose scripts and styles have `nonce`. */
export function htmlResponse(html: string, nonce: string, status = 200): Response {
  return new Response(html, {
    status,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': [
        "default-src 'none'",
        `script-src 'nonce-${nonce}'`,
        `style-src 'nonce-${nonce}'`,
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ].join('; '),
      Vary: 'Accept-Language, Cookie',
    },
  });
}

/** Adds the headers that every response has, except those that it sets itself. */
export function withSecurityHeaders(response: Response): Response {
  const { headers } = response;
  for (const [name, value] of Object.entries(ALWAYS)) if (!headers.has(name)) headers.set(name, value);
  if (!headers.has('Content-Security-Policy')) headers.set('Content-Security-Policy', NOTHING);
  return response;
}

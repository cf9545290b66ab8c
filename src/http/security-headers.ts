import { randomBytes } from 'node:crypto';

const ALWAYS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  // Not `no-referrer`: a browser then sends `Origin: null` with the login form, and it would be refused.
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

const NOTHING = "default-src 'none'; frame-ancestors 'none'";

/** A fresh nonce: only scripts and styles that carry it run. */
export function newNonce(): string {
  return randomBytes(16).toString('base64');
}

/** Makes an HTML response out of a document whose scripts and styles carry `nonce`. */
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

/** Adds to a response what every response has, unless it has its own. */
export function withSecurityHeaders(response: Response): Response {
  const { headers } = response;
  for (const [name, value] of Object.entries(ALWAYS)) if (!headers.has(name)) headers.set(name, value);
  if (!headers.has('Content-Security-Policy')) headers.set('Content-Security-Policy', NOTHING);
  return response;
}

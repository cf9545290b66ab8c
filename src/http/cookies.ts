/** More is no cookie header of a browser. */
const MAX_HEADER = 16_384;
const BASE_NAME = 'wwebjs-session';

/** The name says that it can only have been set by this host over https (RFC 6265bis, `__Host-`). */
export function cookieName(isSecure: boolean): string {
  return isSecure ? `__Host-${BASE_NAME}` : BASE_NAME;
}

/** The value of the login's cookie, if the request has one. */
export function readCookie(request: Request, isSecure: boolean): string | undefined {
  const header = request.headers.get('cookie') ?? '';
  if (header.length > MAX_HEADER) return undefined;
  const prefix = `${cookieName(isSecure)}=`;
  const found = header.split(';').find((pair) => pair.trimStart().startsWith(prefix));
  return found?.trim().slice(prefix.length);
}

/** The header that sets the login's cookie; `maxAgeMs: 0` deletes it. */
export function setCookie(
  value: string,
  { isSecure, maxAgeMs }: { readonly isSecure: boolean; readonly maxAgeMs: number },
): string {
  return [
    `${cookieName(isSecure)}=${value}`,
    'Path=/',
    `Max-Age=${Math.floor(maxAgeMs / 1000)}`,
    'HttpOnly',
    'SameSite=Strict',
    ...(isSecure ? ['Secure'] : []),
  ].join('; ');
}

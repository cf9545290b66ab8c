import { createHash } from 'node:crypto';

/** A longer header is ignored, because no browser sends one. */
const MAX_HEADER = 16_384;
const BASE_NAME = 'wwebjs-session';

/** The cookie that carries a login to one dashboard. */
export class LoginCookie {
  readonly #name: string;

  /**
   * @param scope what distinguishes this dashboard from others on the same host: a browser sends a cookie to every
   * port, so two bots with the same cookie name would log out each other's visitors
   */
  constructor(scope: readonly string[]) {
    const hash = createHash('sha256').update(JSON.stringify(scope)).digest('hex');
    this.#name = `${BASE_NAME}-${hash.slice(0, 8)}`;
  }

  /** The id of the login, if the request has the cookie. */
  read(request: Request, isSecure: boolean): string | undefined {
    const header = request.headers.get('cookie') ?? '';
    if (header.length > MAX_HEADER) return undefined;
    const prefix = `${this.#nameFor(isSecure)}=`;
    const found = header.split(';').find((pair) => pair.trimStart().startsWith(prefix));
    return found?.trim().slice(prefix.length);
  }

  /** The header that sets it; `maxAgeMs: 0` deletes it. */
  set(
    loginId: string,
    { isSecure, maxAgeMs }: { readonly isSecure: boolean; readonly maxAgeMs: number },
  ): string {
    return [
      `${this.#nameFor(isSecure)}=${loginId}`,
      'Path=/',
      `Max-Age=${Math.floor(maxAgeMs / 1000)}`,
      'HttpOnly',
      'SameSite=Strict',
      ...(isSecure ? ['Secure'] : []),
    ].join('; ');
  }

  /** The prefix guarantees that this host has set the cookie over https (RFC 6265bis, `__Host-`). */
  #nameFor(isSecure: boolean): string {
    return isSecure ? `__Host-${this.#name}` : this.#name;
  }
}

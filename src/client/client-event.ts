/** What happens at the client, in words of ours. Told before the bot's own listeners hear of it. */
export type ClientEvent =
  | { readonly type: 'pairing'; readonly via: 'qr' | 'code' }
  /** A QR or code that is about to be superseded: neither requested nor delivered. */
  | { readonly type: 'pairing-held'; readonly via: 'qr' | 'code' }
  | { readonly type: 'authenticated' }
  /** `repeated`: the connection was ready before; the bot is not told again. */
  | { readonly type: 'ready'; readonly repeated?: true }
  /** Any sign that a start gets on: a navigation, a loading screen. */
  | { readonly type: 'progress' }
  | { readonly type: 'state'; readonly state: string }
  | { readonly type: 'disconnected'; readonly reason: string }
  | { readonly type: 'auth-failure'; readonly message?: string }
  | { readonly type: 'browser-launched'; readonly pid: number | undefined }
  | { readonly type: 'browser-gone' }
  | { readonly type: 'page-crashed' }
  /** whatsapp-web.js could not inject itself again after a navigation. */
  | { readonly type: 'inject-failed'; readonly error: unknown }
  /** A rejection of the client's own handlers, contained; `exposed`: of this function, which the page calls. */
  | { readonly type: 'contained'; readonly error: unknown; readonly exposed?: string | undefined };

/**
 * The same of an event of whatsapp-web.js; `undefined` for those that mean nothing to a session.
 *
 * @param wasReady whether the connection was ready before
 */
export function translate(
  event: string | symbol,
  args: readonly unknown[],
  wasReady: boolean,
): ClientEvent | undefined {
  switch (event) {
    case 'qr':
    case 'code':
      return { type: 'pairing', via: event };
    case 'authenticated':
      return { type: event };
    case 'ready':
      return wasReady ? { type: event, repeated: true } : { type: event };
    case 'loading_screen':
      return { type: 'progress' };
    case 'change_state':
      return { type: 'state', state: String(args[0]) };
    case 'disconnected':
      return { type: 'disconnected', reason: String(args[0]) };
    case 'auth_failure':
      return typeof args[0] === 'string'
        ? { type: 'auth-failure', message: args[0] }
        : { type: 'auth-failure' };
    default:
      return undefined;
  }
}

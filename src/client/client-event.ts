/** What happened at the client. The session gets it before the bot's own listeners are called. */
export type ClientEvent =
  | { readonly type: 'pairing'; readonly via: 'qr' | 'code' }
  /** A QR or code that was neither requested nor delivered, because the session will soon replace it. */
  | { readonly type: 'pairing-held'; readonly via: 'qr' | 'code' }
  | { readonly type: 'authenticated' }
  /** `repeated`: the connection was already ready, so the bot does not get the event again. */
  | { readonly type: 'ready'; readonly repeated?: true }
  /** Any sign of progress of a start: a navigation, a loading screen. */
  | { readonly type: 'progress' }
  | { readonly type: 'state'; readonly state: string }
  | { readonly type: 'disconnected'; readonly reason: string }
  | { readonly type: 'auth-failure'; readonly message?: string }
  | { readonly type: 'browser-launched'; readonly pid: number | undefined }
  | { readonly type: 'browser-gone' }
  | { readonly type: 'page-crashed' }
  /** whatsapp-web.js could not inject itself again after a navigation. */
  | { readonly type: 'inject-failed'; readonly error: unknown }
  /** A rejection in the client's own code that was caught; `exposed`: the function that failed, if the page called it. */
  | { readonly type: 'contained'; readonly error: unknown; readonly exposed?: string | undefined };

/**
 * Translates an event of whatsapp-web.js; `undefined` for events that a session does not need.
 *
 * @param wasReady whether the connection was already ready
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

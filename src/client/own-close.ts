import { ConfigurationError } from '../errors.js';
import type { ClientInternals } from './client-types.js';

/** `destroy()` in the sources of @juzi/whatsapp-web.js 1.30: closes the browser, then calls `this.initialize()`. */
const STARTS_AGAIN = /\.\s*initialize\s*\(/;

/** Whether the client's `destroy()` starts it again at once, as that of @juzi/whatsapp-web.js does. */
export function destroyStartsAgain(client: ClientInternals): boolean {
  for (let type: object | null = client; type !== null; type = Object.getPrototypeOf(type)) {
    const method: unknown = Object.getOwnPropertyDescriptor(type, 'destroy')?.value;
    if (typeof method === 'function' && STARTS_AGAIN.test(Function.prototype.toString.call(method))) {
      return true;
    }
  }
  return false;
}

/**
 * The client's own way to close its browser and stay closed: `destroy()`, or `stop()` where that one starts again.
 * Call it before anything on the client is wrapped.
 *
 * @throws ConfigurationError for a client that can't be closed
 */
export function ownClose(client: ClientInternals): () => Promise<unknown> {
  const destroy = client.destroy.bind(client);
  if (!destroyStartsAgain(client)) return destroy;
  const { stop } = client;
  if (typeof stop !== 'function') {
    throw new ConfigurationError(
      "client: its destroy() starts it again, as that of @juzi/whatsapp-web.js does, and it has no stop(): it can't " +
        'be closed. Use @juzi/whatsapp-web.js 1.30.28 or later, or whatsapp-web.js',
    );
  }
  // Its stop() calls `this.destroy(true)`: the client's own, which is wrapped on the client by then.
  const view: unknown = Object.create(client, { destroy: { value: destroy } });
  return async () => stop.call(view);
}

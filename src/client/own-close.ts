import { ConfigurationError } from '../errors.js';
import type { ClientInternals } from './client-types.js';

/** Found in `destroy()` of @juzi/whatsapp-web.js 1.30, which closes the browser and then calls `this.initialize()`. */
const STARTS_AGAIN = /\.\s*initialize\s*\(/;

/** Whether the client's `destroy()` starts the client again at once, as in @juzi/whatsapp-web.js. */
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
 * The client's own method to close its browser without a restart: `destroy()`, or `stop()` if `destroy()` starts again.
 * Call this before anything on the client is wrapped.
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
  // stop() calls `this.destroy(true)`. By then `destroy` is wrapped, so stop() gets a view that has the original.
  const view: unknown = Object.create(client, { destroy: { value: destroy } });
  return async () => stop.call(view);
}

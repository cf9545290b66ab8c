import type { ClientEvent } from '../client/client-driver.js';
import { MAX_QR_RETRIES } from '../client/start-client.js';
import type { DisconnectCause } from '../events.js';

/** Why the session is up no more, if this event means so. A logout and a client that gave up are no losses. */
export function causeOfLoss(event: ClientEvent): DisconnectCause | undefined {
  switch (event.type) {
    case 'browser-gone':
    case 'page-crashed':
      return event.type;
    case 'inject-failed':
      return 'start-failed';
    case 'disconnected':
      if (event.reason === 'LOGOUT' || event.reason === MAX_QR_RETRIES) return undefined;
      return event.reason === 'CONFLICT' ? 'conflict' : 'state-lost';
    default:
      return undefined;
  }
}

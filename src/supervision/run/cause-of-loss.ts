import type { ClientEvent } from '../../client/client-event.js';
import { causeOfDisconnect, LOGOUT } from '../../client/lost-state.js';
import { MAX_QR_RETRIES } from '../../client/start-client.js';
import type { DisconnectCause } from '../../events.js';

/** Whether the supervisor must act on this event. */
export function isDecisive(event: ClientEvent): boolean {
  return event.type === 'disconnected' || event.type === 'auth-failure' || causeOfLoss(event) !== undefined;
}

/** Why the session was lost, if this event means a loss. A logout, or a client that gave up, is no loss. */
export function causeOfLoss(event: ClientEvent): DisconnectCause | undefined {
  switch (event.type) {
    case 'browser-gone':
    case 'page-crashed':
      return event.type;
    case 'inject-failed':
      return 'start-failed';
    case 'pairing-held': // a QR in a running session: the page has lost its login
      return 'state-lost';
    case 'disconnected':
      if (event.reason === LOGOUT || event.reason === MAX_QR_RETRIES) return undefined;
      return causeOfDisconnect(event.reason);
    default:
      return undefined;
  }
}

/** Whether the phone or the server has unlinked this device. */
export function isLogout(event: ClientEvent): boolean {
  return event.type === 'disconnected' && event.reason === LOGOUT;
}

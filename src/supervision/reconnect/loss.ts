import type { ClientEvent } from '../../client/client-event.js';
import { disconnectInWords, LOST_STATE_WORDS } from '../../client/lost-state.js';
import type { DisconnectCause } from '../../events.js';

/** Describes in words how a running session was lost, since nothing was thrown. */
export class LossError extends Error {
  override readonly name = 'LossError';
  readonly code: DisconnectCause;

  constructor(code: DisconnectCause, message: string) {
    super(message);
    this.code = code;
  }
}

const WORDS: Readonly<Record<DisconnectCause, string>> = {
  ...LOST_STATE_WORDS,
  'browser-gone': "the browser's process ended under the session",
  'page-crashed': "WhatsApp's page crashed or was closed",
  timeout: 'WhatsApp stayed in TIMEOUT: its page got no connection',
  unresponsive: "WhatsApp's page no longer answered",
  'network-down': "WhatsApp can't be reached from the browser",
  'never-ready': 'logged in, but ready did not come',
  'logged-out': 'WhatsApp logged this device out',
  'start-failed': "the client's start failed",
  requested: 'reconnect() was called',
};

/**
 * The error for a loss.
 *
 * @param event the client's event that reported the loss, if any; it may say more than the cause
 */
export function lossOf(cause: DisconnectCause, event?: ClientEvent): unknown {
  if (event?.type === 'inject-failed') return event.error;
  if (event?.type === 'pairing-held') {
    return new LossError(cause, "WhatsApp's page asked for a new login while the session was up");
  }
  const isTold = event?.type === 'disconnected';
  return new LossError(cause, isTold ? disconnectInWords(event.reason) : WORDS[cause]);
}

import type { ClientEvent } from '../../client/client-event.js';
import { MAX_QR_RETRIES } from '../../client/start-client.js';
import { ClosedError, LeaseLostError, type SessionError } from '../../errors.js';
import type { DisconnectCause, StopCause } from '../../events.js';
import type { ResolvedOptions } from '../../options.js';
import { causeOfLoss } from './cause-of-loss.js';

/** Why a session stops without a call. */
export type OwnStopCause = StopCause | Extract<DisconnectCause, 'conflict' | 'logged-out'> | 'LEASE_LOST';

/** A stop without a call, and the error that describes it afterwards. */
export interface OwnStop {
  readonly cause: OwnStopCause;
  readonly error: SessionError;
}

const WORDS: Readonly<Record<OwnStopCause, string>> = {
  'auth-failure': 'WhatsApp refused the login (auth_failure)',
  'qr-retries-used': 'nobody scanned any of the QR codes that `qrMaxRetries` of the client allows',
  replaced: 'another session of this process has taken its profile',
  conflict: "WhatsApp Web was opened elsewhere (CONFLICT), and `onConflict` is 'stop'",
  'logged-out': "WhatsApp has logged this device out, and `onLogout` is 'stop'",
  LEASE_LOST: 'another process owns it now',
};

/** @param detail the message that came with it, in its sender's words */
export function ownStop(cause: OwnStopCause, detail?: string): OwnStop {
  const more = detail === undefined || detail === '' ? '' : `: ${detail}`;
  const message = `the session was stopped: ${WORDS[cause]}${more}`;
  return { cause, error: cause === 'LEASE_LOST' ? new LeaseLostError(message) : new ClosedError(message) };
}

/** Why the session must stop after this event; `undefined` when it need not. */
export function ownStopOf(
  event: ClientEvent,
  { onConflict }: Pick<ResolvedOptions, 'onConflict'>,
): OwnStop | undefined {
  if (event.type === 'auth-failure') return ownStop(event.type, event.message);
  if (event.type === 'disconnected' && event.reason === MAX_QR_RETRIES) return ownStop('qr-retries-used');
  return onConflict === 'stop' && causeOfLoss(event) === 'conflict' ? ownStop('conflict') : undefined;
}

import type { DisconnectCause } from '../events.js';

/** Why a client that said `disconnected` is up no more. */
export type LostStateCause = Extract<
  DisconnectCause,
  'conflict' | 'unpaired' | 'deprecated-version' | 'proxy-blocked' | 'tos-blocked' | 'state-lost'
>;

/** The reason of a `disconnected` by which the client tells that the phone unlinked the device (Client.js). */
export const LOGOUT = 'LOGOUT';

/** States of whatsapp-web.js (Constants.js, WAState) in which its client gives up (docs/chromium-facts.md F2.1). */
const CAUSES: ReadonlyMap<string, LostStateCause> = new Map([
  ['CONFLICT', 'conflict'],
  ['UNPAIRED', 'unpaired'],
  ['UNPAIRED_IDLE', 'unpaired'],
  ['DEPRECATED_VERSION', 'deprecated-version'],
  ['PROXYBLOCK', 'proxy-blocked'],
  ['TOS_BLOCK', 'tos-blocked'],
  ['SMB_TOS_BLOCK', 'tos-blocked'],
]);

/** The cause behind the reason that comes with `disconnected`. What is not known is a lost state, never ignored. */
export function causeOfDisconnect(reason: string): LostStateCause {
  return CAUSES.get(reason) ?? 'state-lost';
}

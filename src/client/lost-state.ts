import type { DisconnectCause } from '../events.js';

/** Why a client that emitted `disconnected` is not running any more. */
export type LostStateCause = Extract<
  DisconnectCause,
  'conflict' | 'unpaired' | 'deprecated-version' | 'proxy-blocked' | 'tos-blocked' | 'state-lost'
>;

/** The reason of `disconnected` when the phone has unlinked the device (Client.js). */
export const LOGOUT = 'LOGOUT';

/** States (Constants.js, WAState) in which the client of whatsapp-web.js gives up (docs/chromium-facts.md F2.1). */
const CAUSES: ReadonlyMap<string, LostStateCause> = new Map([
  ['CONFLICT', 'conflict'],
  ['UNPAIRED', 'unpaired'],
  ['UNPAIRED_IDLE', 'unpaired'],
  ['DEPRECATED_VERSION', 'deprecated-version'],
  ['PROXYBLOCK', 'proxy-blocked'],
  ['TOS_BLOCK', 'tos-blocked'],
  ['SMB_TOS_BLOCK', 'tos-blocked'],
]);

/** The cause that belongs to the reason of a `disconnected`. An unknown reason is not ignored: it counts as a lost state. */
export function causeOfDisconnect(reason: string): LostStateCause {
  return CAUSES.get(reason) ?? 'state-lost';
}

export const LOST_STATE_WORDS: Readonly<Record<LostStateCause, string>> = {
  conflict: 'WhatsApp Web was opened elsewhere (CONFLICT)',
  unpaired: "WhatsApp's page said that it is not logged in",
  'deprecated-version': 'WhatsApp refused this version of WhatsApp Web',
  'proxy-blocked': 'a proxy between here and WhatsApp blocked it',
  'tos-blocked': 'WhatsApp blocked the account for its terms of service',
  'state-lost': "WhatsApp's page fell into a state that whatsapp-web.js does not accept",
};

/** The reason of a `disconnected` in words, for an error message. */
export function disconnectInWords(reason: string): string {
  return `${LOST_STATE_WORDS[causeOfDisconnect(reason)]} (disconnected: ${reason})`;
}

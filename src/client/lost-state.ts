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

export const LOST_STATE_WORDS: Readonly<Record<LostStateCause, string>> = {
  conflict: 'WhatsApp Web was opened elsewhere (CONFLICT)',
  unpaired: "WhatsApp's page said that it is not logged in",
  'deprecated-version': 'WhatsApp refused this version of WhatsApp Web',
  'proxy-blocked': 'a proxy between here and WhatsApp blocked it',
  'tos-blocked': 'WhatsApp blocked the account for its terms of service',
  'state-lost': "WhatsApp's page fell into a state that whatsapp-web.js does not accept",
};

/** The same for whoever reads an error. */
export function disconnectInWords(reason: string): string {
  return `${LOST_STATE_WORDS[causeOfDisconnect(reason)]} (disconnected: ${reason})`;
}

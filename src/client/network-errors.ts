import { describeError } from '../errors.js';

/**
 * Chromium's net errors that mean "WhatsApp can't be reached from here now" (net/base/net_error_list.h). The rest
 * (certificates, blocked by policy, aborted) does not heal by waiting and counts as a failed start.
 */
const UNREACHABLE = [
  'ADDRESS_UNREACHABLE',
  'CONNECTION_ABORTED',
  'CONNECTION_CLOSED',
  'CONNECTION_FAILED',
  'CONNECTION_REFUSED',
  'CONNECTION_RESET',
  'CONNECTION_TIMED_OUT',
  'DNS_TIMED_OUT',
  'EMPTY_RESPONSE',
  'INTERNET_DISCONNECTED',
  'NAME_NOT_RESOLVED',
  'NAME_RESOLUTION_FAILED',
  'NETWORK_CHANGED',
  'NETWORK_IO_SUSPENDED',
  'PROXY_CONNECTION_FAILED',
  'SOCKET_NOT_CONNECTED',
  'TIMED_OUT',
  'TUNNEL_CONNECTION_FAILED',
] as const;

const PATTERN = new RegExp(`net::ERR_(${UNREACHABLE.join('|')})\\b`);

/** Whether a failed navigation of the browser says that WhatsApp can't be reached at all. */
export function isNetworkError(error: unknown): boolean {
  return PATTERN.test(describeError(error).message);
}

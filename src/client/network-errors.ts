import { describeError } from '../errors.js';
import { ErrorPageError } from './error-page.js';

/**
 * Chromium's net errors that mean "WhatsApp can't be reached from here now" (net/base/net_error_list.h): something on the
 * way to it is missing, refuses, or breaks the connection. The other errors (certificates, a proxy that wants a password,
 * blocked by policy, aborted) don't pass by waiting and count as a failed start.
 */
const UNREACHABLE = [
  // The network of this machine, and the connection.
  'ADDRESS_INVALID', // this machine has no address to connect from
  'ADDRESS_UNREACHABLE',
  'CONNECTION_ABORTED',
  'CONNECTION_CLOSED',
  'CONNECTION_FAILED',
  'CONNECTION_REFUSED',
  'CONNECTION_RESET',
  'CONNECTION_TIMED_OUT',
  'INTERNET_DISCONNECTED',
  'NETWORK_ACCESS_DENIED', // a firewall, for example that of a VPN that is down
  'NETWORK_CHANGED',
  'NETWORK_IO_SUSPENDED',
  'SOCKET_NOT_CONNECTED',
  'TEMPORARILY_THROTTLED',
  'TIMED_OUT',
  // Name resolution.
  'DNS_MALFORMED_RESPONSE',
  'DNS_OTHER_FAILURE',
  'DNS_REFUSED',
  'DNS_SECURE_RESOLVER_HOSTNAME_RESOLUTION_FAILED',
  'DNS_SERVER_FAILED',
  'DNS_SERVER_FAILURE',
  'DNS_TIMED_OUT',
  'HOST_RESOLVER_QUEUE_TOO_LARGE',
  'NAME_NOT_RESOLVED',
  'NAME_RESOLUTION_FAILED',
  // The proxy.
  'HTTPS_PROXY_TUNNEL_RESPONSE_REDIRECT',
  'MANDATORY_PROXY_CONFIGURATION_FAILED', // the server of its script can't be reached
  'PROXY_CONNECTION_FAILED',
  'PROXY_UNABLE_TO_CONNECT_TO_DESTINATION',
  'SOCKS_CONNECTION_FAILED',
  'SOCKS_CONNECTION_HOST_UNREACHABLE',
  'TUNNEL_CONNECTION_FAILED',
  // The answer is not WhatsApp's, or breaks off: a captive portal, an overloaded server.
  'CONTENT_LENGTH_MISMATCH',
  'EMPTY_RESPONSE',
  'HTTP2_PING_FAILED',
  'HTTP2_PROTOCOL_ERROR',
  'HTTP2_SERVER_REFUSED_STREAM',
  'INCOMPLETE_CHUNKED_ENCODING',
  'INCOMPLETE_HTTP2_HEADERS',
  'INVALID_CHUNKED_ENCODING',
  'INVALID_HTTP_RESPONSE',
  'QUIC_HANDSHAKE_FAILED',
  'QUIC_PROTOCOL_ERROR',
  'RESPONSE_HEADERS_TRUNCATED',
  'SSL_BAD_RECORD_MAC_ALERT',
  'SSL_PROTOCOL_ERROR',
  'SSL_UNRECOGNIZED_NAME_ALERT',
] as const;

const PATTERN = new RegExp(`net::ERR_(${UNREACHABLE.join('|')})\\b`);

/** Whether a failed navigation of the browser says that WhatsApp can't be reached at all, or not now. */
export function isNetworkError(error: unknown): boolean {
  if (error instanceof ErrorPageError) return error.mayPass;
  return PATTERN.test(describeError(error).message);
}

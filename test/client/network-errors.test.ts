import { describe, expect, it } from 'vitest';
import { isNetworkError } from '../../src/client/network-errors.js';

describe('isNetworkError()', () => {
  it.each([
    'net::ERR_INTERNET_DISCONNECTED at https://web.whatsapp.com/',
    'net::ERR_NAME_NOT_RESOLVED at https://web.whatsapp.com/',
    'net::ERR_CONNECTION_REFUSED',
    'net::ERR_PROXY_CONNECTION_FAILED',
    'net::ERR_TIMED_OUT',
    'net::ERR_SOCKS_CONNECTION_FAILED at https://web.whatsapp.com/',
    'net::ERR_SOCKS_CONNECTION_HOST_UNREACHABLE',
    'net::ERR_PROXY_UNABLE_TO_CONNECT_TO_DESTINATION',
    'net::ERR_MANDATORY_PROXY_CONFIGURATION_FAILED',
    'net::ERR_DNS_SERVER_FAILED',
    'net::ERR_NETWORK_ACCESS_DENIED',
    'net::ERR_HTTP2_PROTOCOL_ERROR',
    'net::ERR_SSL_PROTOCOL_ERROR',
  ])('is true for what waiting heals: %s', (message) => {
    expect(isNetworkError(new Error(message))).toBe(true);
    expect(isNetworkError(message)).toBe(true);
  });

  it.each([
    'net::ERR_CERT_AUTHORITY_INVALID at https://web.whatsapp.com/',
    'net::ERR_ABORTED',
    'net::ERR_BLOCKED_BY_CLIENT',
    'net::ERR_PROXY_AUTH_UNSUPPORTED',
    'net::ERR_INVALID_AUTH_CREDENTIALS',
    'net::ERR_PROXY_CERTIFICATE_INVALID',
    'net::ERR_NO_SUPPORTED_PROXIES',
    'net::ERR_SSL_VERSION_OR_CIPHER_MISMATCH',
    'net::ERR_CONNECTION_REFUSED_BY_SOMEBODY',
    'auth timeout',
    'ERR_INTERNET_DISCONNECTED',
  ])('is false for what waiting does not heal: %s', (message) => {
    expect(isNetworkError(new Error(message))).toBe(false);
  });

  it('bears anything that may be thrown', () => {
    for (const thrown of [undefined, null, 5, {}]) expect(isNetworkError(thrown)).toBe(false);
  });
});

import { isIP } from 'node:net';

/** Facts that a `Request` does not contain; `toNodeListener()` provides them. */
export interface ConnectionInfo {
  /** The address at the other end of the socket. */
  readonly remoteAddress?: string;
}

/** A request as its client sent it, even if there is a proxy in between. */
export interface ClientView {
  readonly isSecure: boolean;
  /** The host and port that the client sent the request to. */
  readonly host: string;
  /** The client's address; `undefined` where it is not known. */
  readonly address: string | undefined;
}

/**
 * A proxy's headers count only where the proxy is trusted, because anybody can send them. Only the last value of each
 * header counts, because the nearest proxy added it; the client can forge the values before it.
 */
export function clientView(request: Request, connection: ConnectionInfo, trustProxy: boolean): ClientView {
  const { protocol, host } = new URL(request.url);
  const asked = request.headers.get('host') ?? host;
  const forwarded = (name: string): string =>
    trustProxy ? (request.headers.get(`x-forwarded-${name}`)?.split(',').at(-1)?.trim() ?? '') : '';
  const isSecure = (forwarded('proto').toLowerCase() || protocol.slice(0, -1)) === 'https';
  return {
    isSecure,
    host: withoutDefaultPort((forwarded('host') || asked).toLowerCase(), isSecure),
    address: addressOf(forwarded('for')) ?? connection.remoteAddress,
  };
}

/** A browser omits the default port of the scheme; some proxies add it (`$host:$server_port` of nginx). */
function withoutDefaultPort(host: string, isSecure: boolean): string {
  const port = isSecure ? ':443' : ':80';
  return host.endsWith(port) ? host.slice(0, -port.length) : host;
}

/**
 * Removes the port, which some proxies add (Azure's gateway): `1.2.3.4:5678`, `[::1]:5678`. It changes with every
 * connection. A text that is not an address (`unknown`) is ignored, because it does not distinguish callers.
 */
function addressOf(forwarded: string): string | undefined {
  const [, plain = forwarded] =
    /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(forwarded) ?? /^\[(.*)\](?::\d+)?$/.exec(forwarded) ?? [];
  return isIP(plain) === 0 ? undefined : plain;
}

import { isIP } from 'node:net';

/** What a request does not tell of itself; `toNodeListener()` gives it. */
export interface ConnectionInfo {
  /** The other end of the socket. */
  readonly remoteAddress?: string;
}

/** A request as its client sent it, whatever proxy stands between. */
export interface ClientView {
  readonly isSecure: boolean;
  /** Host and port that the client asked. */
  readonly host: string;
  /** Where it is; `undefined` where that is not known. */
  readonly address: string | undefined;
}

/**
 * A proxy's headers count only where the proxy is trusted: anybody can send them. Of each the last value counts, which
 * is what the nearest proxy saw; those before it are the client's own word.
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

/** A browser leaves the port away that the scheme has anyway; some proxies add it (`$host:$server_port` of nginx). */
function withoutDefaultPort(host: string, isSecure: boolean): string {
  const port = isSecure ? ':443' : ':80';
  return host.endsWith(port) ? host.slice(0, -port.length) : host;
}

/**
 * Some proxies add the port (Azure's gateway): `1.2.3.4:5678`, `[::1]:5678`. It changes with every connection. What is no
 * address (`unknown`) tells no caller from another.
 */
function addressOf(forwarded: string): string | undefined {
  const [, plain = forwarded] =
    /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(forwarded) ?? /^\[(.*)\](?::\d+)?$/.exec(forwarded) ?? [];
  return isIP(plain) === 0 ? undefined : plain;
}

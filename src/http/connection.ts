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

/** A proxy's headers count only where the proxy is trusted: anybody can send them. */
export function clientView(request: Request, connection: ConnectionInfo, trustProxy: boolean): ClientView {
  const { protocol, host } = new URL(request.url);
  const asked = request.headers.get('host') ?? host;
  if (!trustProxy) {
    return { isSecure: protocol === 'https:', host: asked.toLowerCase(), address: connection.remoteAddress };
  }
  const forwarded = (name: string) => request.headers.get(`x-forwarded-${name}`)?.split(',');
  // The last address is what the nearest proxy saw; those before it are the client's own word.
  const address = withoutPort(forwarded('for')?.at(-1)?.trim() ?? '');
  return {
    isSecure: (forwarded('proto')?.[0]?.trim() ?? protocol.slice(0, -1)) === 'https',
    host: (forwarded('host')?.[0]?.trim() ?? asked).toLowerCase(),
    address: address || connection.remoteAddress,
  };
}

/** Some proxies add the port (Azure's gateway): `1.2.3.4:5678`, `[::1]:5678`. It changes with every connection. */
function withoutPort(address: string): string {
  return /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(address)?.[1] ?? /^\[(.*)\](:\d+)?$/.exec(address)?.[1] ?? address;
}

/** Matches a URL with its origin, or only a path; captures the path before `?`. */
const WRITTEN_PATH = /^(?:https?:\/\/[^/?#\\]+)?(\/[^?]*)/i;

/**
 * The path of a request exactly as it was sent; `undefined` where a URL parser would change it, by resolving `..` or
 * `%2e`, by turning `\` into `/` or by cutting at `#`. A guard in front of the handler, for example one of Express,
 * checks the path as it was sent, so it must never be served as a different path.
 *
 * @param target a path with or without a query, or a whole URL
 * @example
 * plainPathOf('/healthz?x=1');   // '/healthz'
 * plainPathOf('/x/../healthz');  // undefined
 */
export function plainPathOf(target: string): string | undefined {
  const written = WRITTEN_PATH.exec(target)?.[1];
  const address = target.startsWith('/') ? `http://localhost${target}` : target;
  if (written === undefined || !URL.canParse(address)) return undefined;
  return new URL(address).pathname === written ? written : undefined;
}

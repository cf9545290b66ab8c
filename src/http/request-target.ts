/** An address with its origin, or a path alone; what stands before `?`. */
const WRITTEN_PATH = /^(?:https?:\/\/[^/?#\\]+)?(\/[^?]*)/i;

/**
 * The path of a request exactly as it was sent; `undefined` where a parser of addresses would make another one of it, by
 * folding `..` or `%2e`, by turning `\` into `/` or by cutting at `#`. What stands in front of the handler, such as a
 * guard of Express, looks at the path as it was sent: it must never be served as another one.
 *
 * @param target a path with or without a query, or a whole address
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

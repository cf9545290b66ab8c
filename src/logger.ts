/**
 * Where the library writes what it does. Silent by default; `console` fits, so does winston, and so do pino and bunyan, which are
 * known by their shape (a `child()`, and `bindings()` or `addSerializers()`) and get the fields before the message. Another
 * logger of that order takes a few lines around it.
 *
 * @example
 * const wrap = (level) => (message, fields) => log[level](fields ?? {}, message);
 * const logger = { debug: wrap('debug'), info: wrap('info'), warn: wrap('warn'), error: wrap('error') };
 */
export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** The default: says nothing. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

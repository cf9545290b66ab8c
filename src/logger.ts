/**
 * Receives the library's log. Silent by default. `console` and winston fit. pino and bunyan fit too: they are recognized by
 * their methods (a `child()`, and `bindings()` or `addSerializers()`) and get the fields before the message. Any other
 * logger that expects the fields first needs a small wrapper:
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

/** The default logger: writes nothing. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

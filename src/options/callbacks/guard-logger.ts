import { type Logger, silentLogger } from '../../logger.js';
import { swallowRejection } from './swallow-rejection.js';

const guarded = new WeakSet<Logger>();

/**
 * The same logger, but one whose failures hurt nobody: a method that throws or rejects has lost its line, and that is
 * all. There is nowhere to tell of it: the place to tell is what has failed.
 */
export function guardLogger(logger: Logger): Logger {
  if (logger === silentLogger || guarded.has(logger)) return logger;
  const write =
    (level: keyof Logger): Logger['debug'] =>
    (message, fields) => {
      try {
        // With as many arguments as were given: some loggers print an `undefined`.
        swallowRejection(fields === undefined ? logger[level](message) : logger[level](message, fields));
      } catch {
        // lost, as the rest of it may be
      }
    };
  const safe: Logger = Object.freeze({
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  });
  guarded.add(safe);
  return safe;
}

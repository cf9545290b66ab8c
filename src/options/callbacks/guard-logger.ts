import { type Logger, silentLogger } from '../../logger.js';
import { takesFieldsFirst } from './fields-first.js';
import { swallowRejection } from './swallow-rejection.js';

/**
 * The safe form of each logger: shared by all sessions of a logger, so that a message meant once per logger is
 * logged once.
 */
const safeForms = new WeakMap<Logger, Logger>();

/**
 * Wraps a logger so that its failures do no harm: when a method throws or rejects, only that line is lost. The
 * failure is not reported, because the logger is the place to report it. A logger that takes its fields first gets
 * them first.
 */
export function guardLogger(logger: Logger): Logger {
  if (logger === silentLogger) return logger;
  const known = safeForms.get(logger);
  if (known !== undefined) return known;
  const fieldsFirst = takesFieldsFirst(logger);
  const write =
    (level: keyof Logger): Logger['debug'] =>
    (message, fields) => {
      try {
        // Passes only as many arguments as were given, because some loggers print an `undefined`.
        if (fields === undefined) swallowRejection(logger[level](message));
        else if (fieldsFirst) swallowRejection(Reflect.apply(logger[level], logger, [fields, message]));
        else swallowRejection(logger[level](message, fields));
      } catch {
        // this line is lost
      }
    };
  const safe: Logger = Object.freeze({
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  });
  safeForms.set(logger, safe);
  safeForms.set(safe, safe);
  return safe;
}

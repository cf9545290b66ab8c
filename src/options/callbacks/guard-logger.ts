import { type Logger, silentLogger } from '../../logger.js';
import { takesFieldsFirst } from './fields-first.js';
import { swallowRejection } from './swallow-rejection.js';

/** Each logger's safe form: what is said once to a logger is said once, however many sessions share it. */
const safeForms = new WeakMap<Logger, Logger>();

/**
 * The same logger, but one whose failures hurt nobody: a method that throws or rejects has lost its line, and that is
 * all. There is nowhere to tell of it: the place to tell is what has failed. One that takes its fields first gets them first.
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
        // With as many arguments as were given: some loggers print an `undefined`.
        if (fields === undefined) swallowRejection(logger[level](message));
        else if (fieldsFirst) swallowRejection(Reflect.apply(logger[level], logger, [fields, message]));
        else swallowRejection(logger[level](message, fields));
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
  safeForms.set(logger, safe);
  safeForms.set(safe, safe);
  return safe;
}

import { describeError } from '../../errors.js';
import type { Logger } from '../../logger.js';
import { swallowRejection } from './swallow-rejection.js';

/**
 * Wraps a source of random numbers so that it always returns a number from 0 up to, but not including, 1: when the
 * bot's own source fails or returns anything else, `spare` is used instead. The first failure is logged.
 */
export function guardRandom(random: () => number, spare: () => number, logger: Logger): () => number {
  if (random === spare) return random;
  let told = false;
  const tell = (why: string) => {
    if (told) return;
    told = true;
    logger.warn('the option `random` failed; random numbers of the default source are used instead', { why });
  };
  return () => {
    try {
      const value: unknown = random();
      if (typeof value === 'number' && value >= 0 && value < 1) return value;
      swallowRejection(value);
      tell(
        `it returned ${typeof value === 'number' ? value : `a ${typeof value}`}, not a number from 0 up to 1`,
      );
    } catch (error) {
      tell(describeError(error).message);
    }
    return spare();
  };
}

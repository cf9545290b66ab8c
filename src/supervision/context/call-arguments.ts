import { ConfigurationError } from '../../errors.js';
import { isObject, show } from '../../options/checks.js';

/**
 * Reads the only option of a call. A misspelt name, or a value other than `true` or `false`, is refused, because the
 * call would do something unwanted.
 *
 * @throws ConfigurationError
 */
export function flagOf(options: unknown, name: string, operation: string): boolean {
  const given = isObject(options) && !Array.isArray(options) ? options : undefined;
  const unknown = Object.keys(given ?? {}).find((key) => key !== name);
  const flag = given?.[name] ?? false;
  if (given !== undefined && unknown === undefined && typeof flag === 'boolean') return flag;
  const problem =
    given === undefined
      ? `${show(options)} is given`
      : unknown !== undefined
        ? `${show(unknown)} is unknown`
        : `${name} is ${show(flag)}`;
  throw new ConfigurationError(`options: ${problem}; expected { ${name}?: boolean }`, { operation });
}

/**
 * Returns a snapshot id that a caller has given.
 *
 * @throws ConfigurationError when it is not a string
 */
export function snapshotIdOf(given: unknown, operation: string): string {
  if (typeof given === 'string') return given;
  const expected = 'the id of a snapshot, for example (await session.listSnapshots())[0].id';
  throw new ConfigurationError(`snapshotId: ${show(given)} is not accepted; expected ${expected}`, {
    operation,
  });
}

import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

/**
 * Reads `--name value` pairs. Numbers are whole and not negative; `--seed` is thrown when it is not given, so that a
 * run that is told its seed repeats another one.
 */
export function readArguments<Numbers extends Readonly<Record<string, number>>>(
  numbers: Numbers,
): { readonly seed: number; readonly only: string } & { readonly [Name in keyof Numbers]: number } {
  const options = Object.fromEntries(
    ['seed', 'only', ...Object.keys(numbers)].map((name) => [name, { type: 'string' as const }]),
  );
  const { values } = parseArgs({ options });
  const numberOf = (name: string, otherwise: number) => {
    const text = values[name];
    if (text === undefined) return otherwise;
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 0)
      throw new Error(`--${name} wants a whole number, not ${text}`);
    return value;
  };
  const given = Object.entries(numbers).map(([name, otherwise]) => [name, numberOf(name, otherwise)]);
  return {
    ...(Object.fromEntries(given) as { [Name in keyof Numbers]: number }),
    seed: numberOf('seed', randomInt(2 ** 31)),
    only: String(values.only ?? ''),
  };
}

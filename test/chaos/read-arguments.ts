import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

/** The arguments of a script; texts that were not given are absent. */
export type Arguments<Number extends string, Text extends string> = { readonly seed: number } & {
  readonly [Name in Number]: number;
} & { readonly [Name in Text]?: string };

/**
 * Reads `--name value` pairs. Numbers are whole and not negative, and each has a default. `--seed` is random by
 * default; a run with the seed of an earlier run repeats that run.
 *
 * @throws Error that names the argument
 */
export function readArguments<Number extends string, Text extends string = never>(
  numbers: Readonly<Record<Number, number>>,
  texts: readonly Text[] = [],
): Arguments<Number, Text> {
  const options = Object.fromEntries(
    ['seed', ...texts, ...Object.keys(numbers)].map((name) => [name, { type: 'string' as const }]),
  );
  const { values } = parseArgs({ options });
  const numberOf = (name: string, byDefault: number) => {
    const text = values[name];
    if (text === undefined) return byDefault;
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 0)
      throw new Error(`--${name} wants a whole number, not ${text}`);
    return value;
  };
  const given = Object.entries<number>(numbers).map(([name, byDefault]) => [name, numberOf(name, byDefault)]);
  return {
    seed: numberOf('seed', randomInt(2 ** 31)),
    ...Object.fromEntries([...texts.map((name) => [name, values[name]]), ...given]),
  } as Arguments<Number, Text>;
}

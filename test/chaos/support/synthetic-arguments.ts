import { parseArgs } from 'node:util';

/** `--name value` options of a chaos script, and nothing else. */
export class ChaosArguments {
  readonly #values: Readonly<Record<string, string | boolean | undefined>>;

  constructor(names: readonly string[], argv: readonly string[] = process.argv.slice(2)) {
    const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
    this.#values = parseArgs({ args: [...argv], options, strict: true }).values;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** @throws Error unless it is a whole number of at least 0 */
  count(name: string, byDefault: number): number {
    const text = this.text(name);
    if (text === undefined) return byDefault;
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 0)
      throw new Error(`--${name} is ${text}; a count is accepted`);
    return value;
  }
}

/** Prints rows under their headings, in columns. */
export function printTable(headings: readonly string[], rows: readonly (readonly unknown[])[]): void {
  const lines = [headings, ...rows].map((row) => row.map(String));
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  for (const line of lines) {
    const cells = line.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    console.log(cells.join('  '));
  }
}

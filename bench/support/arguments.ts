import { parseArgs } from 'node:util';

/** The arguments of `npm run bench`. */
export interface BenchArguments {
  /** Sizes of the profiles in megabytes. */
  readonly sizes: readonly number[];
  /** Number of runs; if undefined, see {@link runsFor}. */
  readonly runs: number | undefined;
  /** Selects the operations whose name contains this text. */
  readonly only: string;
  /** Creates the cached profiles again. */
  readonly fresh: boolean;
  /** Prints the tables in the form of docs/performance-tables.md. */
  readonly markdown: boolean;
  /** The file to which all measurements are written. */
  readonly json: string | undefined;
  /** Folder for a CPU profile of every measured process; profiling makes the figures unreliable. */
  readonly cpuProf: string | undefined;
  /** Compares the figures with `baseline`. */
  readonly check: boolean;
  readonly baseline: string;
}

const DEFAULT_SIZES = '20,100,500';
const LARGE_MEGABYTES = 300;

/** @throws Error that names the argument and the accepted values. */
export function readBenchArguments(args: readonly string[]): BenchArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      sizes: { type: 'string', default: DEFAULT_SIZES },
      runs: { type: 'string' },
      only: { type: 'string', default: '' },
      fresh: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      json: { type: 'string' },
      'cpu-prof': { type: 'string' },
      check: { type: 'boolean', default: false },
      baseline: { type: 'string', default: 'bench/baseline.json' },
    },
  });
  const sizes = values.sizes.split(',').map((text) => wholeNumber('sizes', text));
  return {
    sizes: [...new Set(sizes)].sort((a, b) => a - b),
    runs: values.runs === undefined ? undefined : wholeNumber('runs', values.runs),
    only: values.only,
    fresh: values.fresh,
    markdown: values.markdown,
    json: values.json,
    cpuProf: values['cpu-prof'],
    check: values.check,
    baseline: values.baseline,
  };
}

/** How often each side runs: 5 times, or twice with the largest profiles. */
export function runsFor(megabytes: number, asked: number | undefined): number {
  return asked ?? (megabytes >= LARGE_MEGABYTES ? 2 : 5);
}

function wholeNumber(name: string, text: string): number {
  const value = /^\d+$/.test(text.trim()) ? Number(text) : 0;
  if (value >= 1 && value <= 10_000) return value;
  throw new Error(`--${name}: "${text}" is not accepted; expected whole numbers from 1 to 10000`);
}

import { describe, expect, it } from 'vitest';
import { readBenchArguments, runsFor } from '../../bench/support/arguments.js';

describe('the arguments of the bench', () => {
  it('are all sizes and everything when none is given', () => {
    expect(readBenchArguments([])).toEqual({
      sizes: [20, 100, 500],
      runs: undefined,
      only: '',
      fresh: false,
      markdown: false,
      json: undefined,
      cpuProf: undefined,
      check: false,
      baseline: 'bench/baseline.json',
    });
  });

  it('are read', () => {
    const args =
      '--sizes 100,20,20 --runs 3 --only zip --fresh --markdown --json out.json --cpu-prof prof --check --baseline b.json';
    expect(readBenchArguments(args.split(' '))).toEqual({
      sizes: [20, 100],
      runs: 3,
      only: 'zip',
      fresh: true,
      markdown: true,
      json: 'out.json',
      cpuProf: 'prof',
      check: true,
      baseline: 'b.json',
    });
  });

  it.each(['0', '-1', '1.5', 'many', '', '1e3', '10001'])('refuse %j as a number of runs', (text) => {
    expect(() => readBenchArguments([`--runs=${text}`])).toThrow(
      `--runs: "${text}" is not accepted; expected whole numbers from 1 to 10000`,
    );
  });

  it('refuse a size among others, and names that are unknown', () => {
    expect(() => readBenchArguments(['--sizes', '20,,500'])).toThrow('--sizes: "" is not accepted');
    expect(() => readBenchArguments(['--size', '20'])).toThrow("Unknown option '--size'");
    expect(() => readBenchArguments(['20'])).toThrow();
  });

  it('make 5 runs, 2 of a large profile, or as many as are asked for', () => {
    expect([20, 299, 300, 500].map((megabytes) => runsFor(megabytes, undefined))).toEqual([5, 5, 2, 2]);
    expect(runsFor(500, 7)).toBe(7);
  });
});

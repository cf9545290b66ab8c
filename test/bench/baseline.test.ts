import { describe, expect, it } from 'vitest';
import { compareWithBaseline, parseReport } from '../../bench/support/baseline.js';
import type { Metric } from '../../bench/support/figures.js';
import { figures, report, row } from './reports.js';

/** Ours grows by so much while RemoteAuth's stays. */
const grown = (metric: Metric, factor: number) =>
  report(row({ ours: figures({ [metric]: (figures()[metric] ?? 0) * factor }) }));

describe('the comparison with a baseline', () => {
  const before = report(row());

  it('finds nothing where nothing changed', () => {
    expect(compareWithBaseline(before, before)).toEqual({ compared: 1, regressions: [], slower: [] });
  });

  it.each<Metric>(['cpuMs', 'mainCpuMs', 'writtenBytes'])('fails for a growth of %s by half', (metric) => {
    const { regressions } = compareWithBaseline(before, grown(metric, 1.5));
    expect(regressions).toEqual([
      {
        operation: 'first force-save',
        megabytes: 20,
        metric,
        before: 10,
        now: expect.closeTo(10 / 1.5, 6),
      },
    ]);
  });

  it.each<Metric>(['cpuMs', 'mainCpuMs', 'writtenBytes'])('takes a quarter more of %s', (metric) => {
    expect(compareWithBaseline(before, grown(metric, 1.25)).regressions).toEqual([]);
  });

  it('only tells of what the clock says', () => {
    const { regressions, slower } = compareWithBaseline(before, grown('wallMs', 2));
    expect(regressions).toEqual([]);
    expect(slower).toMatchObject([{ metric: 'wallMs', before: 10, now: 5 }]);
    expect(compareWithBaseline(before, grown('busyMs', 2))).toMatchObject({
      regressions: [],
      slower: [{ metric: 'busyMs' }],
    });
  });

  it('does not mind memory and what is kept', () => {
    expect(compareWithBaseline(before, grown('rssBytes', 9)).regressions).toEqual([]);
    expect(compareWithBaseline(before, grown('keptBytes', 9)).regressions).toEqual([]);
  });

  it('goes by ratio: a machine that is slower for both is no regression', () => {
    const slowly = row({
      remoteAuth: figures({
        wallMs: 9000,
        cpuMs: 9000,
        mainCpuMs: 9000,
        busyMs: 9000,
        writtenBytes: 100_000_000,
      }),
      ours: figures({ wallMs: 900, cpuMs: 900, mainCpuMs: 900, busyMs: 900 }),
    });
    expect(compareWithBaseline(before, report(slowly))).toEqual({ compared: 1, regressions: [], slower: [] });
  });

  it('does not judge what is within the noise of a clock', () => {
    const small = (cpuMs: number, mainCpuMs: number) =>
      report(row({ ours: figures({ cpuMs, mainCpuMs, writtenBytes: 1000 }) }));
    expect(compareWithBaseline(small(5, 0.5), small(14, 10.5)).regressions).toEqual([]);
    expect(compareWithBaseline(small(5, 0.5), small(17, 10.7)).regressions).toHaveLength(2);
  });

  it('compares what both have, by operation and size', () => {
    const other = report(row({ megabytes: 100 }), row({ operation: 'backup, cold' }));
    expect(compareWithBaseline(before, other).compared).toBe(0);
  });

  it('passes over figures that a system does not tell', () => {
    const untold = report(row({ ours: figures({ writtenBytes: null }) }));
    expect(compareWithBaseline(before, untold).regressions).toEqual([]);
    expect(compareWithBaseline(untold, before).regressions).toEqual([]);
  });
});

describe('a baseline', () => {
  it('is a report that was written by --json', () => {
    expect(parseReport(JSON.stringify(report(row())))).toEqual(report(row()));
  });

  it.each(['{}', '{"format":2,"rows":[]}', '{"format":1}'])('is not %s', (text) => {
    expect(() => parseReport(text)).toThrow('it is no report of npm run bench');
  });
});

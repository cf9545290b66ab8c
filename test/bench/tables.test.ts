import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseReport } from '../../bench/support/baseline.js';
import { printReport, toMarkdown } from '../../bench/support/show-report.js';
import { flatness, markdown, overview, plain, sizesTable, tableOf } from '../../bench/support/tables.js';
import { figures, report, row } from './reports.js';

describe('the table of an operation', () => {
  it('has both sides, the ratio, the target and whether it is met', () => {
    const lines = tableOf(row({ ours: figures({ wallMs: 400, writtenBytes: null, keptBytes: null }) }));
    expect(lines[0]).toEqual(['', 'RemoteAuth', 'ours', 'ratio', 'target', 'met']);
    expect(lines[1]).toEqual(['wall ms', '1000', '400', '2.50', '>= 6', 'NO']);
    expect(lines[2]).toEqual(['CPU ms', '1000', '100', '10.0', '', '']);
    expect(lines[6]).toEqual(['MB written', '100', '-', '-', '', '']);
  });

  it('leaves out what neither side tells', () => {
    const nothingKept = row({ remoteAuth: figures({ keptBytes: null }), ours: figures({ keptBytes: null }) });
    expect(tableOf(nothingKept).map(([name]) => name)).not.toContain('MB kept');
  });
});

describe('the sizes of an operation side by side', () => {
  it('have two columns each', () => {
    const large = row({ megabytes: 500, ours: figures({ wallMs: 400, keptBytes: null }) });
    const lines = sizesTable([row(), large]);
    expect(lines[0]).toEqual(['', 'RemoteAuth, 20', 'ours, 20', 'RemoteAuth, 500', 'ours, 500']);
    expect(lines[1]).toEqual(['wall ms', '1000', '100', '1000', '400']);
    expect(lines.at(-1)).toEqual(['MB kept', '10.0', '10.0', '10.0', '-']);
  });
});

describe('the overview', () => {
  it('names the target beside a ratio that misses it', () => {
    const [, line] = overview([row()]);
    expect(line).toEqual([
      'first force-save',
      '20',
      '10.0',
      '10.0',
      '10.0 (>= 50)',
      '10.0 (>= 50)',
      '1.00 (>= 1.67)',
      '10.0',
      '1.00',
    ]);
  });

  it('says whether the memory is flat over the sizes', () => {
    const large = row({ megabytes: 500, ours: figures({ rssBytes: 40e6 }) });
    expect(flatness([row(), large])[1]).toEqual(['first force-save', '10.0 / 40.0', 'NO']);
    expect(flatness([row()])).toEqual([]);
  });
});

describe('a table', () => {
  const table = [
    ['name', 'value'],
    ['a', '1'],
    ['longer', '100'],
  ];

  it('is aligned in a terminal', () => {
    expect(plain(table)).toBe('name    value\na           1\nlonger    100');
  });

  it('is a table in a document', () => {
    expect(markdown(table)).toBe('| name | value |\n| --- | ---: |\n| a | 1 |\n| longer | 100 |');
  });
});

describe('the report', () => {
  it('says on what it was measured', () => {
    const machine = 'Measured 2026-11-25 on a CPU, 2 cores, 4 GB, Linux 6, node v20, Chromium 1.';
    expect(printReport(report(row()))).toContain(machine);
    expect(toMarkdown(report(row()))).toContain(`${machine} Profiles: 20: 21.0 MB in 14 files.`);
    expect(toMarkdown(report(row()))).toContain('## first force-save\n');
  });

  it('of the last run is what docs/performance-tables.md shows and what --check compares with', () => {
    const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
    const last = toMarkdown(parseReport(read('bench/baseline.json')));
    expect(read('docs/performance-tables.md')).toContain(last);
  });
});

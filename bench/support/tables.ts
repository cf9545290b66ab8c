import { type Figures, METRICS, type Metric, ratioOf } from './figures.js';
import type { Operation } from './operations.js';
import type { BenchReport, Row } from './report.js';
import { isFlat, verdictOn } from './targets.js';

const HEADINGS: Readonly<Record<Metric, string>> = {
  wallMs: 'wall ms',
  cpuMs: 'CPU ms',
  mainCpuMs: 'main thread CPU ms',
  busyMs: 'main thread busy ms',
  rssBytes: 'peak RSS growth MB',
  writtenBytes: 'MB written',
  keptBytes: 'MB kept',
};

/** A table whose first line is the heading. */
export type Table = readonly (readonly string[])[];

/** One line for each figure of one operation. */
export function tableOf(row: Row): Table {
  const heading = ['', 'RemoteAuth', 'ours', 'ratio', 'target', 'met'];
  const lines = METRICS.filter((metric) => row.remoteAuth[metric] !== null || row.ours[metric] !== null).map(
    (metric) => {
      const { target, met, ratio } = verdictOn(metric, row.operation, row.megabytes, row);
      return [
        HEADINGS[metric],
        amount(metric, row.remoteAuth[metric]),
        amount(metric, row.ours[metric]),
        ratio === undefined ? '-' : ratioText(ratio),
        target,
        target === '' ? '' : met ? 'yes' : 'NO',
      ];
    },
  );
  return [heading, ...lines];
}

/** Both sides' figures for one operation, with its sizes side by side; the overview has ratios and targets. */
export function sizesTable(rows: readonly Row[]): Table {
  const heading = [
    '',
    ...rows.flatMap(({ megabytes }) => [`RemoteAuth, ${megabytes}`, `ours, ${megabytes}`]),
  ];
  const lines = METRICS.filter((metric) =>
    rows.some(({ remoteAuth, ours }) => remoteAuth[metric] !== null || ours[metric] !== null),
  ).map((metric) => [
    HEADINGS[metric],
    ...rows.flatMap(({ remoteAuth, ours }) => [
      amount(metric, remoteAuth[metric]),
      amount(metric, ours[metric]),
    ]),
  ]);
  return [heading, ...lines];
}

/** The rows of each operation, in the order of their sizes. */
export function byOperation(rows: readonly Row[]): ReadonlyMap<Operation, readonly Row[]> {
  const found = new Map<Operation, Row[]>();
  for (const row of rows) found.set(row.operation, [...(found.get(row.operation) ?? []), row]);
  return found;
}

/** One line for each operation and size: the ratios, with those that miss their target marked. */
export function overview(rows: readonly Row[]): Table {
  const heading = ['operation', 'MB', ...METRICS.map((metric) => HEADINGS[metric].replace(/ (ms|MB)$/, ''))];
  const lines = rows.map((row) => [
    row.operation,
    String(row.megabytes),
    ...METRICS.map((metric) => {
      const ratio = ratioOf(metric, row.remoteAuth, row.ours);
      if (ratio === undefined) return '-';
      const { met, target } = verdictOn(metric, row.operation, row.megabytes, row);
      return met ? ratioText(ratio) : `${ratioText(ratio)} (${target})`;
    }),
  ]);
  return [heading, ...lines];
}

/** How flat the memory is across sizes, which no single row shows. */
export function flatness(rows: readonly Row[]): Table {
  const lines = [...byOperation(rows)]
    .filter(([operation, found]) => found.length > 1 && !operation.startsWith('initialize'))
    .map(([operation, found]) => {
      const growths = found.map(({ ours }) => ours.rssBytes);
      return [
        operation,
        growths.map((bytes) => amount('rssBytes', bytes)).join(' / '),
        isFlat(growths) ? 'yes' : 'NO',
      ];
    });
  return lines.length === 0 ? [] : [['ours', 'peak RSS growth MB, by size', 'flat'], ...lines];
}

export function limitsTable({ limits }: BenchReport): Table {
  if (limits.length === 0) return [];
  return [
    ['outside limit', 'MB', 'wall ms', 'CPU ms'],
    ...limits.map(({ tool, megabytes, wallMs, cpuMs }) => [
      tool,
      String(megabytes),
      amount('wallMs', wallMs),
      amount('cpuMs', cpuMs),
    ]),
  ];
}

export function capturesTable({ captures }: BenchReport): Table {
  if (captures.length === 0) return [];
  return [
    [
      'captures',
      'MB',
      'MB/s written meanwhile',
      'sound',
      'retries',
      'most attempts',
      'median ms',
      'longest ms',
    ],
    ...captures.map((row) => [
      String(row.captures),
      String(row.megabytes),
      row.megabytesPerSecond.toFixed(1),
      String(row.sound),
      String(row.retries),
      String(row.mostAttempts),
      amount('wallMs', row.medianMs),
      amount('wallMs', row.longestMs),
    ]),
  ];
}

/** Aligned columns for a terminal. */
export function plain(table: Table): string {
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((line) => (line[column] ?? '').length)),
  );
  return table
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A table for a Markdown document. */
export function markdown(table: Table): string {
  const [heading = [], ...lines] = table;
  const rule = heading.map((_, column) => (column === 0 ? '---' : '---:'));
  return [heading, rule, ...lines].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

function amount(metric: Metric, value: Figures[Metric]): string {
  if (value === null || Number.isNaN(value)) return '-';
  return significant(metric.endsWith('Bytes') ? value / 1e6 : value);
}

function significant(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function ratioText(ratio: number): string {
  return ratio >= 100 ? ratio.toFixed(0) : ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(2);
}

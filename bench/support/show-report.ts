import type { BenchReport, Machine } from './report.js';
import {
  byOperation,
  capturesTable,
  flatness,
  limitsTable,
  markdown,
  overview,
  plain,
  sizesTable,
  type Table,
} from './tables.js';

/** The summary of a run in a terminal: all ratios, and findings that no single table shows. */
export function printReport(report: BenchReport): string {
  const tables = [overview(report.rows), flatness(report.rows), limitsTable(report), capturesTable(report)];
  const shown = tables.filter(isFilled).map(plain);
  return ['\nRemoteAuth divided by ours; in brackets a target that is missed', ...shown, told(report)].join(
    '\n\n',
  );
}

/** The content of docs/performance-tables.md below its first lines. */
export function toMarkdown(report: BenchReport): string {
  const parts = [
    told(report),
    '## RemoteAuth divided by ours',
    'In brackets a target that is missed.',
    markdown(overview(report.rows)),
  ];
  if (flatness(report.rows).length > 0) parts.push('## Memory by size', markdown(flatness(report.rows)));
  for (const [operation, rows] of byOperation(report.rows)) {
    parts.push(`## ${operation}`, markdown(sizesTable(rows)));
  }
  if (isFilled(limitsTable(report))) parts.push('## Outside limits', markdown(limitsTable(report)));
  if (isFilled(capturesTable(report))) {
    parts.push('## Captures while Chromium writes', markdown(capturesTable(report)));
  }
  return parts.join('\n\n');
}

function told({ date, machine, profiles }: BenchReport): string {
  const sizes = profiles.map(
    ({ megabytes, bytes, files }) => `${megabytes}: ${(bytes / 1e6).toFixed(1)} MB in ${files} files`,
  );
  return `Measured ${date.slice(0, 10)} on ${describe(machine)}. Profiles: ${sizes.join('; ')}.`;
}

function describe({ cpu, cores, memoryMb, platform, node, chromium }: Machine): string {
  return `${cpu}, ${cores} cores, ${Math.round(memoryMb / 1024)} GB, ${platform}, node ${node}, ${chromium}`;
}

function isFilled(table: Table): boolean {
  return table.length > 1;
}

import type { Figures } from '../../bench/support/figures.js';
import type { BenchReport, Row } from '../../bench/support/report.js';

/** Figures of which only some matter. */
export function figures(some: Partial<Figures> = {}): Figures {
  return {
    wallMs: 100,
    cpuMs: 100,
    mainCpuMs: 100,
    busyMs: 100,
    rssBytes: 10_000_000,
    writtenBytes: 10_000_000,
    keptBytes: 10_000_000,
    ...some,
  };
}

export function row(some: Partial<Row> = {}): Row {
  return {
    operation: 'first force-save',
    megabytes: 20,
    runs: 5,
    remoteAuth: figures({
      wallMs: 1000,
      cpuMs: 1000,
      mainCpuMs: 1000,
      busyMs: 1000,
      writtenBytes: 100_000_000,
    }),
    ours: figures(),
    differs: [],
    ...some,
  };
}

export function report(...rows: readonly Row[]): BenchReport {
  return {
    format: 1,
    date: '2026-11-25T00:00:00.000Z',
    machine: {
      cpu: 'a CPU',
      cores: 2,
      memoryMb: 4096,
      platform: 'Linux 6',
      node: 'v20',
      chromium: 'Chromium 1',
    },
    profiles: [{ megabytes: 20, bytes: 21_000_000, files: 14 }],
    rows,
    limits: [],
    captures: [],
  };
}

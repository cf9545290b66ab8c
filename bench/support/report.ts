import type { Figures } from './figures.js';
import type { Operation, Side } from './operations.js';

/** One operation over one profile, both sides. */
export interface Row {
  readonly operation: Operation;
  /** As asked for; `profileBytes` is what it came to. */
  readonly megabytes: number;
  readonly runs: number;
  readonly remoteAuth: Figures;
  readonly ours: Figures;
  /** Sides whose restored tree was not, byte for byte, its source; empty when all was right. */
  readonly differs: readonly Side[];
}

/** A tool of the system over the same files: the outside limit. */
export interface LimitRow {
  readonly tool: string;
  readonly megabytes: number;
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** What captures of a profile that is written to all the time cost. */
export interface CaptureRow {
  readonly megabytes: number;
  readonly captures: number;
  readonly sound: number;
  readonly retries: number;
  readonly mostAttempts: number;
  readonly medianMs: number;
  readonly longestMs: number;
  readonly megabytesPerSecond: number;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMb: number;
  readonly platform: string;
  readonly node: string;
  readonly chromium: string;
}

/** Everything a run of the bench has measured; what `--json` writes and `--check` reads. */
export interface BenchReport {
  readonly format: 1;
  /** ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  readonly profiles: readonly {
    readonly megabytes: number;
    readonly bytes: number;
    readonly files: number;
  }[];
  readonly rows: readonly Row[];
  readonly limits: readonly LimitRow[];
  readonly captures: readonly CaptureRow[];
}

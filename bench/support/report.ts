import type { Figures } from './figures.js';
import type { Operation, Side } from './operations.js';

/** One operation on one profile, for both sides. */
export interface Row {
  readonly operation: Operation;
  /** The requested size; `profileBytes` is the actual one. */
  readonly megabytes: number;
  readonly runs: number;
  readonly remoteAuth: Figures;
  readonly ours: Figures;
  /** Sides whose restored tree differed from its source; empty if every byte was equal. */
  readonly differs: readonly Side[];
}

/** A system tool on the same files, as the limit of what is possible. */
export interface LimitRow {
  readonly tool: string;
  readonly megabytes: number;
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** The cost of capturing a profile while it is written to all the time. */
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

/** Everything that a run of the bench has measured; `--json` writes it and `--check` reads it. */
export interface BenchReport {
  readonly format: 1;
  /** The time of the run, ISO 8601. */
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

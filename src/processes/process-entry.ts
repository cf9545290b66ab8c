/** One line of the machine's process table. */
export interface ProcessEntry {
  readonly pid: number;
  /** Its parent. */
  readonly ppid: number;
  /** When it started, in the machine's own notation. */
  readonly startTime: string;
  /** Ended, but not yet collected by its parent. */
  readonly zombie: boolean;
}

/**
 * Reads the machine's process table. Every call has a deadline, and rejects when the machine does not report its
 * processes.
 */
export interface ProcessSource {
  entry(pid: number): Promise<ProcessEntry | undefined>;
  all(): Promise<readonly ProcessEntry[]>;
  commandLine(pid: number): Promise<string | undefined>;
  /**
   * Bytes of memory of the processes that are alive. Proportional (PSS) when the machine reports it, so that
   * shared memory counts only once; else resident (RSS).
   */
  memory(pids: readonly number[]): Promise<ReadonlyMap<number, number>>;
  /** Distinguishes this process table from that of another machine, boot or container. */
  namespace(): Promise<string | undefined>;
}

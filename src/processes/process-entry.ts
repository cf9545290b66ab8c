/** One line of the machine's table of processes. */
export interface ProcessEntry {
  readonly pid: number;
  /** Its parent. */
  readonly ppid: number;
  /** When it started, in the machine's own words. */
  readonly startTime: string;
  /** Ended, but not yet collected by its parent. */
  readonly zombie: boolean;
}

/** Where a machine tells of its processes. Every call has a deadline; a machine that does not tell rejects. */
export interface ProcessSource {
  entry(pid: number): Promise<ProcessEntry | undefined>;
  all(): Promise<readonly ProcessEntry[]>;
  commandLine(pid: number): Promise<string | undefined>;
  /**
   * Bytes of memory of those that live. Proportional (PSS) where the machine tells it, so that what several of them
   * share counts once; else resident (RSS).
   */
  memory(pids: readonly number[]): Promise<ReadonlyMap<number, number>>;
  /** What tells this table of processes from that of another machine, boot or container. */
  namespace(): Promise<string | undefined>;
}

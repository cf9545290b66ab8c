/** The report that the bot prints at its end. */
export interface Report {
  /** Number of worker threads that were started. */
  readonly threads: number;
  /** The library's warnings and errors about its worker. */
  readonly warnings: readonly string[];
}

/** Throws unless the work was done in a worker thread. */
export function assertThread({ threads, warnings }: Report): void {
  if (threads > 0 && warnings.length === 0) return;
  throw new Error(`${threads} threads were started; ${JSON.stringify(warnings)}`);
}

/** Throws unless the work was done without a worker thread, and one warning said what to do. */
export function assertNoThread({ threads, warnings }: Report): void {
  const [line, ...more] = warnings;
  if (threads === 0 && more.length === 0 && line?.includes('copy dist/worker.cjs')) return;
  throw new Error(`${threads} threads were started; ${JSON.stringify(warnings)}`);
}

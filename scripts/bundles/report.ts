/** What the bot says at its end. */
export interface Report {
  /** Worker threads that were started. */
  readonly threads: number;
  /** What the library logged of its worker as a warning or an error. */
  readonly warnings: readonly string[];
}

/** Throws unless the work was done in a worker thread. */
export function assertThread({ threads, warnings }: Report): void {
  if (threads > 0 && warnings.length === 0) return;
  throw new Error(`${threads} threads were started; ${JSON.stringify(warnings)}`);
}

/** Throws unless it was done without one, and the user got one word that says what to do. */
export function assertNoThread({ threads, warnings }: Report): void {
  const [line, ...more] = warnings;
  if (threads === 0 && more.length === 0 && line?.includes('copy dist/worker.cjs')) return;
  throw new Error(`${threads} threads were started; ${JSON.stringify(warnings)}`);
}

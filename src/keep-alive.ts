import { MessageChannel } from 'node:worker_threads';

/**
 * Keeps the process running until the returned function is called (calling it again does nothing).
 *
 * Every timer of the library is unref'd (docs/invariants.md I8), so a bot whose browser has died would simply end while a
 * reconnect is pending: a browser that is open holds the process, a wait does not. An open message port does,
 * and costs nothing while nobody sends.
 *
 * @example
 * const release = keepProcessAlive();
 * try { await sleep(clock, delayMs, signal); } finally { release(); }
 */
export function keepProcessAlive(): () => void {
  const channel = new MessageChannel(); // kept whole: a port that is collected closes its partner
  channel.port1.ref();
  return () => channel.port1.close();
}

/** Keeps the process running until `work` has settled: starts, stops and whatever else somebody waits for. */
export async function whileAlive<Result>(work: () => Promise<Result>): Promise<Result> {
  const release = keepProcessAlive();
  try {
    return await work();
  } finally {
    release();
  }
}

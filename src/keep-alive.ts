import { MessageChannel } from 'node:worker_threads';

/**
 * Keeps the process running until the returned function is called (calling it again does nothing).
 *
 * Every timer of the library is unref'd (docs/invariants.md I8). An open browser keeps the process alive, but a timer does
 * not, so a bot whose browser has died would end while a reconnect is pending. An open message port keeps the process
 * alive and costs nothing while nobody sends.
 *
 * @example
 * const release = keepProcessAlive();
 * try { await sleep(clock, delayMs, signal); } finally { release(); }
 */
export function keepProcessAlive(): () => void {
  const channel = new MessageChannel(); // both ports are kept: a port that is garbage-collected closes the other one
  channel.port1.ref();
  return () => channel.port1.close();
}

/** Keeps the process running until `work` has settled: starts, stops and other work that somebody waits for. */
export async function whileAlive<Result>(work: () => Promise<Result>): Promise<Result> {
  const release = keepProcessAlive();
  try {
    return await work();
  } finally {
    release();
  }
}

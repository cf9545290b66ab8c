import { type Clock, sleep } from '../clock.js';

/** What `work` gave within `ms`, else `undefined`; then it goes on. Rejects only as `work` does. */
export async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | undefined> {
  const timer = new AbortController();
  try {
    return await Promise.race([work, sleep(clock, ms, timer.signal).then(() => undefined)]);
  } finally {
    timer.abort();
    work.catch(() => undefined); // what fails after the deadline is nobody's
  }
}

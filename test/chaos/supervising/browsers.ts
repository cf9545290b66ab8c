import { setTimeout as pause } from 'node:timers/promises';
import { processSource } from '../../../src/processes/process-source.js';

/** A browser that closes takes its helpers along, but not in the same moment. */
const GRACE_MS = 5_000;
const LOOK_EVERY_MS = 50;

/**
 * The Chromium processes that work on a profile below `folder`, helpers included: each carries the profile's path in
 * its arguments. The folder has a name of its own, so nobody else's browser is ever among them.
 */
export async function browsersOf(folder: string): Promise<number[]> {
  const found: number[] = [];
  for (const { pid, zombie } of await processSource.all()) {
    if (zombie || pid === process.pid) continue;
    const command = await processSource.commandLine(pid);
    if (command?.includes(`--user-data-dir=${folder}/`)) found.push(pid);
  }
  return found;
}

/** Those that are still there when they had time enough to go. */
export async function browsersLeft(folder: string): Promise<number[]> {
  const end = performance.now() + GRACE_MS;
  for (;;) {
    const left = await browsersOf(folder);
    if (left.length === 0 || performance.now() > end) return left;
    await pause(LOOK_EVERY_MS);
  }
}

/** Ends what a failed case has left, so that the next one does not pay for it. */
export function endBrowsers(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // gone already
    }
  }
}

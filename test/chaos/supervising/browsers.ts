import { setTimeout as pause } from 'node:timers/promises';
import { processSource } from '../../../src/processes/process-source.js';

/** How long a closed browser's helpers may take to end. */
const GRACE_MS = 5_000;
const LOOK_EVERY_MS = 50;

/**
 * The Chromium processes with a profile below `folder`, including helpers: each has the profile's path in its
 * arguments. The folder's name is unique, so no other browser is among them.
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

/** The browser processes that are still running after enough time to end. */
export async function browsersLeft(folder: string): Promise<number[]> {
  const end = performance.now() + GRACE_MS;
  for (;;) {
    const left = await browsersOf(folder);
    if (left.length === 0 || performance.now() > end) return left;
    await pause(LOOK_EVERY_MS);
  }
}

/** Ends the processes that a failed case has left, so that they do not affect the next case. */
export function endBrowsers(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // already gone
    }
  }
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { BUSY_ACCOUNT, dropCapture, LiveProfile } from '../../test/chaos/real/captures.js';
import { startSimulator } from '../../test/simulator/server.js';
import { median } from './figures.js';
import type { CaptureRow } from './report.js';

const MEGABYTE = 1024 * 1024;
const CAPTURES = 20;
const PAUSE_MS = 350;

/** Copies a live profile of about 70 MB repeatedly while Chromium writes 4 MB/s to it (as chaos:capture does). */
export async function capturesUnderTraffic(): Promise<CaptureRow> {
  const folder = await mkdtemp(join(tmpdir(), 'wwebjs-bench-captures-'));
  const simulator = await startSimulator();
  const live = new LiveProfile({ simulator, folder, ...BUSY_ACCOUNT });
  try {
    await live.start();
    await pause(8000); // until the ring is full and compactions begin
    const writtenBefore = await live.writtenBytes();
    const startedAt = performance.now();
    const taken = [];
    for (let number = 1; number <= CAPTURES; number++) {
      const capture = await live.capture(number);
      taken.push(capture);
      await dropCapture(capture);
      await pause(PAUSE_MS);
    }
    const seconds = (performance.now() - startedAt) / 1000;
    const times = taken.map(({ milliseconds }) => milliseconds);
    return {
      megabytes: Math.round(Math.max(...taken.map(({ megabytes }) => megabytes))),
      captures: taken.length,
      sound: taken.filter(({ sound }) => sound).length,
      retries: taken.reduce((sum, { attempts }) => sum + Math.max(0, attempts - 1), 0),
      mostAttempts: Math.max(...taken.map(({ attempts }) => attempts)),
      medianMs: median(times),
      longestMs: Math.max(...times),
      megabytesPerSecond: ((await live.writtenBytes()) - writtenBefore) / MEGABYTE / seconds,
    };
  } finally {
    await live.stop();
    await simulator.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * Measures how long the quick and the deep soundness check of a profile take, and how busy the bot's thread is
 * meanwhile. The profile is written by real Chromium. A run with another size:
 *
 *     npm run bench:soundness -- --megabytes 100 --rounds 15
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/clock.js';
import { systemFileSystem } from '../src/file-system.js';
import { silentLogger } from '../src/logger.js';
import { readBlobNames } from '../src/profile/soundness/named-blobs.js';
import { checkProfileTask } from '../src/profile/soundness.js';
import { createTaskRunner } from '../src/worker/worker-runner.js';
import { growProfile, profileIn } from '../test/chaos/real/profiles.js';
import { startSimulator } from '../test/simulator/server.js';

const MEGABYTE = 1024 * 1024;

const { values } = parseArgs({
  options: { megabytes: { type: 'string', default: '100' }, rounds: { type: 'string', default: '15' } },
});
const rounds = Number(values.rounds);
const folder = await mkdtemp(join(tmpdir(), 'wwebjs-bench-'));
const simulator = await startSimulator();
const runner = createTaskRunner({ fs: systemFileSystem, logger: silentLogger, clock: systemClock });
try {
  const account = '4915100000001';
  await growProfile(simulator, join(folder, 'bot'), {
    account,
    megabytes: Number(values.megabytes),
    runs: 1,
  });
  const profileDir = profileIn(join(folder, 'bot'));
  await runner.run(checkProfileTask, { profileDir, depth: 'quick' }); // starts the worker and caches the files
  console.log('depth  MB     verdict  median ms  longest ms  busy ms of the main thread (median)');
  for (const depth of ['quick', 'deep'] as const) {
    const walls: number[] = [];
    const busy: number[] = [];
    let told = '';
    for (let round = 0; round < rounds; round++) {
      const before = performance.eventLoopUtilization();
      const startedAt = performance.now();
      const { verdict, bytes } = await runner.run(checkProfileTask, { profileDir, depth });
      walls.push(performance.now() - startedAt);
      busy.push(performance.eventLoopUtilization(before).active);
      told = `${(bytes / MEGABYTE).toFixed(1).padEnd(5)}  ${verdict}`;
    }
    const columns = [median(walls), Math.max(...walls), median(busy)].map((ms) => ms.toFixed(1));
    console.log(
      `${depth.padEnd(5)}  ${told.padEnd(14)}  ${columns[0]?.padEnd(9)}  ${columns[1]?.padEnd(10)}  ${columns[2]}`,
    );
  }
  const walls: number[] = [];
  let named = 0;
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now();
    named = (await readBlobNames({ fs: systemFileSystem, profileDir }))?.now.size ?? Number.NaN;
    walls.push(performance.now() - startedAt);
  }
  console.log(
    `the names of ${named} large values: median ${median(walls).toFixed(1)} ms, longest ${Math.max(...walls).toFixed(1)} ms`,
  );
} finally {
  await runner.close();
  await simulator.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/**
 * Copies a live profile repeatedly while Chromium writes to it, checks every copy in depth, and starts a plain client
 * on some of them: each must be `ready` without a QR, and contain everything that was written before the copy. Exits 0
 * only if all checks pass.
 *
 *     npm run chaos:capture -- --captures 60 --boots 10 --seed 7
 *     npm run chaos:capture -- --large 1        large values, which Chromium keeps as files of their own
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startSimulator } from '../simulator/server.js';
import { Dice } from '../support/dice.js';
import { readArguments } from './read-arguments.js';
import { type Boot, bootCapture } from './real/boots.js';
import { assertSpace, BUSY_ACCOUNT, type Capture, dropCapture, LiveProfile } from './real/captures.js';
import { column } from './real/table.js';

const MEGABYTE = 1024 * 1024;
const PAUSE_UP_TO_MS = 700;

const { seed, captures, boots, large } = readArguments({ captures: 60, boots: 12, large: 0 });
console.log(`chaos:capture --seed ${seed} --captures ${captures} --boots ${boots} --large ${large}\n`);

const dice = new Dice(seed);
const numbers = Array.from({ length: captures }, (_, index) => index + 1);
const toBoot = new Set(dice.shuffled(numbers).slice(0, boots));
const folder = await mkdtemp(join(tmpdir(), 'wwebjs-capture-'));
await assertSpace(folder, 4096);
const simulator = await startSimulator();
const taken: Capture[] = [];
const booted: Boot[] = [];
let megabytesPerSecond = 0;
let falseAlarm = '';
const live = new LiveProfile({
  simulator,
  folder,
  ...BUSY_ACCOUNT,
  largeValues: large > 0,
});
try {
  await live.start();
  await pause(8000); // until the ring is full and compactions begin
  const writtenBefore = await live.writtenBytes();
  const startedAt = performance.now();
  console.log(row('capture', 'attempts', 'MB', 'ms', 'deep check'));
  for (const number of numbers) {
    const capture = await live.capture(number);
    taken.push(capture);
    const { attempts, megabytes, milliseconds, sound, finding } = capture;
    const verdict = sound ? `sound${toBoot.has(number) ? ', to be booted' : ''}` : `FAILED ${finding}`;
    console.log(
      row(String(number), String(attempts), megabytes.toFixed(1), milliseconds.toFixed(0), verdict),
    );
    if (sound && !toBoot.has(number) && number !== captures) await dropCapture(capture);
    await pause(dice.below(PAUSE_UP_TO_MS));
  }
  const written = ((await live.writtenBytes()) - writtenBefore) / MEGABYTE;
  megabytesPerSecond = written / ((performance.now() - startedAt) / 1000);
  const last = taken.at(-1);
  if (last !== undefined) falseAlarm = await live.killAndCompare(last);
  await live.stop();
  await simulator.stopTraffic();

  console.log(`\n${row('capture', 'started', 'seconds', '', 'lacks')}`);
  for (const capture of taken.filter(({ number, sound }) => sound && toBoot.has(number))) {
    const boot = await bootCapture(simulator, folder, capture);
    booted.push(boot);
    console.log(row(String(boot.capture), boot.outcome, boot.seconds.toFixed(1), '', boot.losses || '-'));
  }
} finally {
  await live.stop();
  await simulator.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

const sound = taken.filter((capture) => capture.sound);
const started = booted.filter(({ ok }) => ok);
const retries = taken.reduce((sum, { attempts }) => sum + Math.max(0, attempts - 1), 0);
const times = taken.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
const blobs = taken.map((capture) => capture.blobs);
const sizes = taken.map(({ megabytes }) => megabytes);
console.log(
  `\n${sound.length} of ${captures} captures sound, ${started.length} of ${boots} booted ready without a QR (seed ${seed})\n` +
    `  ${Math.min(...sizes).toFixed(0)}-${Math.max(...sizes).toFixed(0)} MB under ${megabytesPerSecond.toFixed(1)} MB/s; ` +
    `${retries} retries, at most ${Math.max(...taken.map(({ attempts }) => attempts))} attempts; ` +
    `median ${(times[Math.floor(times.length / 2)] ?? 0).toFixed(0)} ms, longest ${(times.at(-1) ?? 0).toFixed(0)} ms\n` +
    (large > 0
      ? `  ${Math.min(...blobs)}-${Math.max(...blobs)} large values named in each, every one with its file\n`
      : '') +
    `  the killed profile compared with the last capture: ${falseAlarm === '' ? 'sound, no false alarm' : falseAlarm}`,
);
process.exitCode =
  captures > 0 && sound.length === captures && started.length === boots && falseAlarm === '' ? 0 : 1;

function row(...cells: readonly string[]): string {
  return cells.map((cell, index) => column(cell, [8, 9, 8, 6, 80][index] ?? 10)).join('');
}

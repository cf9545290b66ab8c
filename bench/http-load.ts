/**
 * Measures whether many dashboard visitors disturb a save. It forces saves of a changing profile, first alone, then
 * while another process keeps many event streams open and requests the status at a steady rate, over loopback.
 *
 *     npm run bench:http -- --streams 200 --requests 500 --saves 12 --megabytes 40
 *
 * Exits 1 if a request failed, a stream missed an event, a save failed or can't be verified, or if the rate was not
 * reached. Times are printed, but only checked against a wide limit, because they depend on the machine.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { systemFileSystem } from '../src/file-system.js';
import { createSessionHandler, toNodeListener } from '../src/http/index.js';
import { PersistentSession } from '../src/index.js';
import { FakeClient, FakeWhatsApp } from '../src/testing/index.js';
import { printTable } from '../test/chaos/print-table.js';
import { readArguments } from '../test/chaos/read-arguments.js';
import { CLIENT_ID, placesIn, writeBlobs } from '../test/chaos/synthetic/world.js';
import type { VisitorsOrder, VisitorsReport } from './children/http-visitors.js';

const MEGABYTE = 1024 * 1024;
const BLOBS = 16;
/** The part of the requested rate that must be reached; the start and the end take the rest. */
const MIN_RATE = 0.9;
/** How many times as long a save may take with visitors, because then three threads are busy, on perhaps two cores. */
const MAX_SLOWDOWN = 3;

const {
  streams,
  requests: requestsPerSecond,
  saves,
  megabytes,
} = readArguments({ streams: 200, requests: 500, saves: 12, megabytes: 40 });

interface Phase {
  readonly saveMs: readonly number[];
  readonly loopP99Ms: number;
  readonly busyShare: number;
}

const folder = await mkdtemp(join(tmpdir(), 'wwebjs-bench-'));
const places = placesIn(folder);
const client = new FakeClient({
  whatsApp: new FakeWhatsApp(),
  localAuth: { dataPath: places.authPath, clientId: CLIENT_ID },
});
const session = new PersistentSession(client, {
  sessionPath: places.sessionPath,
  backupPath: places.backupPath,
  forceSaveIntervalMs: 0,
  backupIntervalMs: 0,
  shutdownSignals: [],
});
const token = randomBytes(32).toString('base64url');
const handler = createSessionHandler(session, { auth: token, maxStreams: streams });
const server = createServer(toNodeListener(handler)).listen(0, '127.0.0.1');
const problems: string[] = [];
try {
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await session.initialize();
  await client.scan('4915100000001@c.us');
  await saveChanged(0); // starts the worker and makes the first copy

  const alone = await savesInARow(1);
  const crowd = await arrive({ port, token, streams, requestsPerSecond });
  const beside = await savesInARow(1 + saves);
  const report = await leave(crowd);
  await session.verify();
  tell(alone, beside, report);
} finally {
  handler.close();
  server.closeAllConnections();
  server.close();
  await session.destroy();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
for (const problem of problems) console.error(`PROBLEM ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;

/** Changes all blobs and forces a save. Resolves to how long the save took. */
async function saveChanged(generation: number): Promise<number> {
  const bytes = Math.floor((megabytes * MEGABYTE) / BLOBS);
  await writeBlobs(systemFileSystem, places.profileDir, generation, { files: BLOBS, bytes });
  const startedAt = performance.now();
  const outcome = await session.forceSave();
  if (!('snapshot' in outcome)) problems.push(`a save was skipped: ${outcome.skipped}`);
  return performance.now() - startedAt;
}

async function savesInARow(firstGeneration: number): Promise<Phase> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const before = performance.eventLoopUtilization();
  delay.enable();
  const saveMs: number[] = [];
  for (let index = 0; index < saves; index++) saveMs.push(await saveChanged(firstGeneration + index));
  delay.disable();
  const { utilization } = performance.eventLoopUtilization(before);
  return { saveMs, loopP99Ms: delay.percentile(99) / 1e6, busyShare: utilization };
}

async function arrive(order: VisitorsOrder): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('./children/http-visitors.ts', import.meta.url));
  const child = fork(script, { execArgv: ['--import', 'tsx'] });
  child.send(order);
  const [here] = (await once(child, 'message', { signal: AbortSignal.timeout(30_000) })) as unknown[];
  if (here !== 'here') throw new Error('the visitors did not arrive');
  return child;
}

async function leave(crowd: ChildProcess): Promise<VisitorsReport> {
  const told = once(crowd, 'message', { signal: AbortSignal.timeout(30_000) });
  crowd.send('stop');
  const [report] = (await told) as [VisitorsReport];
  return report;
}

function tell(alone: Phase, beside: Phase, report: VisitorsReport): void {
  const { answers, medianMs, p99Ms, seconds, savesHeard, streamsOpen } = report;
  const answered = answers['200'] ?? 0;
  const rate = answered / seconds;
  const row = (name: string, { saveMs, loopP99Ms, busyShare }: Phase) => [
    name,
    saveMs.length,
    median(saveMs).toFixed(0),
    Math.max(...saveMs).toFixed(0),
    loopP99Ms.toFixed(1),
    `${(busyShare * 100).toFixed(0)} %`,
  ];
  printTable(
    [`saves of ${megabytes} MB`, 'saves', 'median ms', 'longest ms', 'event loop p99 ms', 'main thread busy'],
    [row('alone', alone), row(`${streams} streams, ${requestsPerSecond} requests/s`, beside)],
  );
  console.log(
    `\n${answered} answers in ${seconds.toFixed(1)} s (${rate.toFixed(0)}/s), median ${medianMs.toFixed(1)} ms, ` +
      `p99 ${p99Ms.toFixed(1)} ms; ${streamsOpen} streams open to the end, each heard ${savesHeard.join(' to ')} of ${saves} saves`,
  );
  for (const [outcome, count] of Object.entries(answers)) {
    if (outcome !== '200') problems.push(`${count} requests ended with ${outcome}`);
  }
  if (rate < requestsPerSecond * MIN_RATE) problems.push(`only ${rate.toFixed(0)} answers a second`);
  if (streamsOpen < streams) problems.push(`${streams - streamsOpen} streams were cut`);
  if (savesHeard[0] < saves) problems.push(`a stream heard ${savesHeard[0]} of ${saves} saves`);
  const slowdown = median(beside.saveMs) / median(alone.saveMs);
  if (slowdown > MAX_SLOWDOWN) problems.push(`saves took ${slowdown.toFixed(1)} times as long`);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

// Runs many sessions in one process, and measures what each costs and how late their saves come.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { loggedInClient } from './logged-in-client.js';
import { residentBytes } from './measure.js';
import { applyChange } from './trees.js';

export interface CrowdOrder {
  readonly library: string;
  readonly testing: string;
  /** Contains a bot's profile in each of the folders `0`, `1`, ... */
  readonly folder: string;
  readonly sessions: number;
  readonly seconds: number;
  readonly saveIntervalMs: number;
  /** The two states of the profile, each for half of the time. */
  readonly before: string;
  readonly after: string;
}

export interface CrowdFigures {
  readonly sessions: number;
  readonly memoryPerSessionMb: number;
  readonly saves: number;
  /** How long after the end of its interval a save was done, ms. */
  readonly latenessMedianMs: number;
  readonly latenessMostMs: number;
  /** Delay of the event loop, ms. */
  readonly delayP99Ms: number;
  readonly statusUs: number;
  /** Threads in addition to those of a process without sessions. */
  readonly workerThreads: number;
  readonly cpuPerSaveMs: number;
  readonly failed: number;
}

async function crowd(order: CrowdOrder): Promise<CrowdFigures> {
  const { PersistentSession } = (await import(order.library)) as typeof import('../../src/index.js');
  const fakes = (await import(order.testing)) as typeof import('../../src/testing/index.js');
  await Promise.all(Array.from({ length: 8 }, () => pause(1).then(() => import('node:fs/promises')))); // thread pool
  const threadsBefore = threads();
  const residentBefore = residentBytes();
  const lateness: number[] = [];
  let failed = 0;
  const folders = Array.from({ length: order.sessions }, (_, index) => join(order.folder, String(index)));
  const sessions = folders.map((folder) => {
    const client = loggedInClient(fakes, { localAuth: { dataPath: join(folder, 'auth'), clientId: 'bot' } });
    const session = new PersistentSession(client, {
      sessionPath: join(folder, 'session'),
      backupPath: join(folder, 'backup'),
      shutdownSignals: [],
      forceSaveIntervalMs: order.saveIntervalMs,
      backupIntervalMs: 0,
    });
    let last: number | undefined;
    const note = () => {
      const now = performance.now();
      if (last !== undefined) lateness.push(Math.max(0, now - last - order.saveIntervalMs));
      last = now;
    };
    session.on('save:completed', note);
    session.on('save:skipped', note);
    session.on('save:failed', () => failed++);
    return session;
  });
  await Promise.all(sessions.map((session) => session.initialize()));
  await pause(5000); // the first saves have begun
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  const cpuBefore = process.cpuUsage();
  const savesBefore = lateness.length;
  await pause((order.seconds * 1000) / 2);
  for (const folder of folders)
    await applyChange(join(folder, 'auth/session-bot'), order.before, order.after);
  await pause((order.seconds * 1000) / 2);
  const { user, system } = process.cpuUsage(cpuBefore);
  delay.disable();
  const measured = lateness.slice(savesBefore).sort((a, b) => a - b);
  const figures = {
    sessions: order.sessions,
    memoryPerSessionMb: (residentBytes() - residentBefore) / 1e6 / order.sessions,
    saves: measured.length,
    latenessMedianMs: measured[Math.floor(measured.length / 2)] ?? Number.NaN,
    latenessMostMs: measured.at(-1) ?? Number.NaN,
    delayP99Ms: delay.percentile(99) / 1e6,
    statusUs: statusUs(() => sessions.map((session) => session.status())) / order.sessions,
    workerThreads: threads() - threadsBefore,
    cpuPerSaveMs: (user + system) / 1000 / Math.max(1, measured.length),
    failed,
  };
  await Promise.all(sessions.map((session) => session.destroy()));
  return figures;
}

function statusUs(ask: () => unknown): number {
  const rounds = 200;
  const startedAt = performance.now();
  for (let round = 0; round < rounds; round++) ask();
  return ((performance.now() - startedAt) * 1000) / rounds;
}

function threads(): number {
  return readdirSync('/proc/self/task').length;
}

process.on('message', (order: CrowdOrder) => {
  crowd(order).then(
    (figures) => process.send?.(figures, () => process.exit()),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

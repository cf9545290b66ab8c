import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Client } from 'whatsapp-web.js';
import { systemClock } from '../../src/clock.js';
import { systemFileSystem } from '../../src/file-system.js';
import { captureProfile } from '../../src/profile/capture.js';
import { closeBot, createBot, waitForEvent } from '../../test/simulator/client.js';
import { startSimulator, type WhatsAppSimulator } from '../../test/simulator/server.js';

const FRIEND = '4915100000002';
const PATIENCE_MS = 120_000;
/** More than LevelDB keeps in memory for Local Storage, so that further data is written as a table. */
const LOCAL_STORAGE_CHARS = 100_000;
/** How long compactions get to finish. */
const REST_MS = 4_000;
const MAKERS = [
  'profile-states.ts',
  '../../test/simulator/page/storage.js',
  '../../test/simulator/page/traffic.js',
];

/** Two states of one live profile, with a megabyte of traffic between them. They must only be read; copy them first. */
export interface ProfileStates {
  readonly megabytes: number;
  /** A user-data-dir that contains only the essential files. */
  readonly before: string;
  readonly after: string;
  /** Total size of the essential files of `before`. */
  readonly bytes: number;
  readonly files: number;
}

/**
 * The states of a profile of about this many megabytes, written by real Chromium with the local simulator. They are
 * made once and kept below the system's temp folder, by size and by a hash of the code that made them.
 */
export async function profileStates(
  megabytes: number,
  options: { readonly fresh: boolean; readonly chromium: string },
): Promise<ProfileStates> {
  const folder = join(
    tmpdir(),
    'wwebjs-bench-profiles',
    `${megabytes}mb-${await hashOfMakers(options.chromium)}`,
  );
  if (options.fresh) await rm(folder, { recursive: true, force: true });
  const known = await readFile(join(folder, 'states.json'), 'utf8').catch(() => undefined);
  if (known !== undefined) return statesIn(folder, megabytes, JSON.parse(known) as Size);
  const making = `${folder}.making-${process.pid}`;
  await mkdir(making, { recursive: true });
  try {
    const size = await makeStates(making, megabytes);
    await writeFile(join(making, 'states.json'), JSON.stringify(size));
    await rename(making, folder);
    return statesIn(folder, megabytes, size);
  } finally {
    await rm(making, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface Size {
  readonly bytes: number;
  readonly files: number;
}

function statesIn(folder: string, megabytes: number, size: Size): ProfileStates {
  return { megabytes, before: join(folder, 'before'), after: join(folder, 'after'), ...size };
}

async function makeStates(folder: string, megabytes: number): Promise<Size> {
  const simulator = await startSimulator();
  const client = createBot({ simulator, dataPath: join(folder, 'auth') });
  try {
    await Promise.all([untilReady(client), simulator.scan()]);
    await fillLocalStorage(client, 'first');
    await simulator.writeBulk(megabytes, { timeoutMs: PATIENCE_MS + megabytes * 2000 });
    await closeBot(client); // only a normal close flushes Local Storage
    await untilReady(client);
    await fillLocalStorage(client, 'second');
    await pause(REST_MS);
    const size = await capture(folder, 'before');
    await addTraffic(simulator);
    await capture(folder, 'after');
    return size;
  } finally {
    await closeBot(client);
    await simulator.close();
    await rm(join(folder, 'auth'), { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Writes a megabyte in records of 32 KB, and a few messages. */
async function addTraffic(simulator: WhatsAppSimulator): Promise<void> {
  for (let n = 0; n < 10; n++) await simulator.sendIncoming({ from: FRIEND, body: `message ${n}` });
  await simulator.writeBulk(1);
  await pause(REST_MS);
}

/** Captures a state with hard links to the live tables, so that both states share the unchanged tables. */
async function capture(folder: string, name: 'before' | 'after'): Promise<Size> {
  const { files } = await captureProfile({
    profileDir: join(folder, 'auth', 'session'),
    targetDir: join(folder, name),
    fs: systemFileSystem,
    clock: systemClock,
    mode: 'hot',
  });
  return { files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) };
}

async function untilReady(client: Client): Promise<void> {
  const ready = waitForEvent(client, 'ready', PATIENCE_MS);
  ready.catch(() => undefined); // initialize() reports the error first
  await client.initialize();
  await ready;
}

async function fillLocalStorage(client: Client, key: string): Promise<void> {
  const text = `window.localStorage.setItem('filler.${key}', 'x'.repeat(${LOCAL_STORAGE_CHARS}))`;
  await client.pupPage?.evaluate(text);
}

async function hashOfMakers(chromium: string): Promise<string> {
  const hash = createHash('sha256').update(chromium);
  for (const path of MAKERS) hash.update(await readFile(fileURLToPath(new URL(path, import.meta.url))));
  return hash.digest('hex').slice(0, 8);
}

import { setTimeout as pause } from 'node:timers/promises';
import { systemFileSystem } from '../../src/file-system.js';
import { listEssentialFiles } from '../../src/profile/essential-files.js';
import { closeBot, createBot, waitForEvent } from '../../test/simulator/client.js';
import type { WhatsAppSimulator } from '../../test/simulator/server.js';
import { keysFor, RECORD_SCRIPT } from './page-of-records.js';

const PATIENCE_MS = 120_000;
const STEP_BYTES = 4_000_000;
/** How long compactions get to finish, which remove what was overwritten. */
const REST_MS = 3_000;

/** Pairs an account of its own, and fills its profile until the essential files have so many megabytes. Returns their bytes. */
export async function growBot(
  simulator: WhatsAppSimulator,
  dataPath: string,
  account: string,
  megabytes: number,
): Promise<number> {
  const client = createBot({ simulator, dataPath, clientId: 'bot' });
  const size = async () =>
    (await listEssentialFiles(`${dataPath}/session-bot`, { fs: systemFileSystem })).reduce(
      (sum, file) => sum + file.size,
      0,
    );
  try {
    const ready = waitForEvent(client, 'ready', PATIENCE_MS);
    ready.catch(() => undefined); // initialize() reports the error first
    await Promise.all([client.initialize(), simulator.scan({ account, timeoutMs: PATIENCE_MS })]);
    await ready;
    await client.pupPage?.evaluate(RECORD_SCRIPT);
    for (let step = 0; step < megabytes && (await size()) < megabytes * 1e6; step++) {
      await client.pupPage?.evaluate(`records.fill(${keysFor(megabytes)}, ${STEP_BYTES})`);
      if ((await size()) >= megabytes * 1e6) await pause(REST_MS);
    }
  } finally {
    await closeBot(client, PATIENCE_MS);
  }
  return size();
}

import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { closeBot, createBot, pageState, waitForEvent } from '../../simulator/client.js';
import type { WhatsAppSimulator } from '../../simulator/server.js';
import type { Capture } from './captures.js';
import { countUnreadable } from './records.js';

const PATIENCE_MS = 60_000;

export interface Boot {
  readonly capture: number;
  readonly outcome: 'ready' | 'qr' | 'failed';
  /** The data from before the capture that is missing; empty if nothing is missing. */
  readonly losses: string;
  readonly seconds: number;
  readonly ok: boolean;
}

/** Starts a new plain client on a copy of a capture, used as the profile of a LocalAuth. Never rejects. */
export async function bootCapture(
  simulator: WhatsAppSimulator,
  folder: string,
  { number, directory, before }: Capture,
): Promise<Boot> {
  const dataPath = join(folder, 'boot');
  await rm(dataPath, { recursive: true, force: true });
  // A real copy, because the capture's tables are hard links to the live ones.
  await cp(directory, join(dataPath, 'session'), { recursive: true });
  const client = createBot({ simulator, dataPath });
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1000;
  try {
    const outcome = Promise.race([
      waitForEvent(client, 'ready', PATIENCE_MS).then(() => 'ready' as const),
      waitForEvent(client, 'qr', PATIENCE_MS).then(() => 'qr' as const),
    ]);
    outcome.catch(() => undefined); // initialize() reports the error first
    await client.initialize();
    const shown = await outcome;
    if (shown === 'qr') return { capture: number, outcome: shown, losses: '', seconds: seconds(), ok: false };
    const took = seconds();
    const now = await pageState(client);
    const unreadable = await countUnreadable(client);
    const lacks = [
      ...(now.ratchet < before.ratchet ? [`ratchet ${now.ratchet} instead of ${before.ratchet}`] : []),
      ...(now.messageCount < before.messageCount
        ? [`${before.messageCount - now.messageCount} messages`]
        : []),
      ...(unreadable === 0 ? [] : [`${unreadable} records can't be read`]),
    ];
    return {
      capture: number,
      outcome: shown,
      losses: lacks.join(', '),
      seconds: took,
      ok: lacks.length === 0,
    };
  } catch (error) {
    const losses = error instanceof Error ? error.message : String(error);
    return { capture: number, outcome: 'failed', losses, seconds: seconds(), ok: false };
  } finally {
    await closeBot(client);
    await rm(dataPath, { recursive: true, force: true, maxRetries: 5 });
  }
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { startSimulator, type WhatsAppSimulator } from '../simulator/server.js';
import { PersistentBot, type PersistentBotOptions } from '../support/persistent-bot.js';

/** What every end-to-end test has: a simulator, a folder, and bots that are closed when it ends. */
export interface Stage {
  readonly simulator: WhatsAppSimulator;
  readonly folder: string;
  /** A bot in the folder; each stands for a new process. */
  bot(options?: Partial<PersistentBotOptions>): PersistentBot;
}

/** Sets the stage for each test of a file. */
export function useStage(): Stage {
  let simulator: WhatsAppSimulator;
  let folder: string;
  let bots: PersistentBot[] = [];
  beforeEach(async () => {
    simulator = await startSimulator();
    folder = await mkdtemp(join(tmpdir(), 'wwebjs-e2e-'));
    bots = [];
  });
  afterEach(async () => {
    for (const bot of bots) await bot.session.destroy();
    await simulator.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return {
    get simulator() {
      return simulator;
    },
    get folder() {
      return folder;
    },
    bot(options = {}) {
      const bot = new PersistentBot({ simulator, folder, ...options });
      bots.push(bot);
      return bot;
    },
  };
}

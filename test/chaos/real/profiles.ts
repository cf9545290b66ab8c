import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PageState } from '../../simulator/client.js';
import { pageState } from '../../simulator/client.js';
import type { WhatsAppSimulator } from '../../simulator/server.js';
import { PersistentBot } from '../../support/persistent-bot.js';

const FRIEND = '4915100000002';
/** More than LevelDB keeps in memory for Local Storage, so that further data is written as a table. */
const LOCAL_STORAGE_FILLER_CHARS = 100_000;

/** Number of values of one megabyte, which Chromium stores in separate files. */
const LARGE_VALUES_PER_RUN = 2;

/** A bot that logged in, worked and was stopped normally. Its last snapshot is cold and has the data of `truth`. */
export interface GoodProfile {
  /** The folder with the profile, saves and backups of the bot. */
  readonly folder: string;
  readonly truth: PageState;
  /** A copy of only the profile, as it was after the first run. */
  readonly olderDir: string;
}

export interface GrowOptions {
  readonly account: string;
  /** The amount of data to write to IndexedDB, in tables of 4 MB. */
  readonly megabytes: number;
  /** How often the bot is started. Local Storage has tables from the second start on; before, it only has its log. */
  readonly runs: number;
}

/** Makes an undamaged profile in `folder`, in the requested number of runs of the bot. */
export async function growProfile(
  simulator: WhatsAppSimulator,
  folder: string,
  { account, megabytes, runs }: GrowOptions,
): Promise<GoodProfile> {
  const olderDir = `${folder}-older`;
  let truth: PageState | undefined;
  for (let run = 0; run < runs; run++) {
    const bot = new PersistentBot({ simulator, folder });
    try {
      const ready = bot.next('ready');
      await bot.session.initialize();
      if (run === 0) await simulator.scan({ account });
      await ready;
      for (let n = 0; n < 4; n++)
        await simulator.sendIncoming({ from: FRIEND, body: `run ${run} message ${n}` });
      await simulator.writeBulk(megabytes / runs);
      await simulator.writeBulk(LARGE_VALUES_PER_RUN, { largeValues: true });
      if (runs > 1) await fillLocalStorage(bot, run);
      await simulator.sendIncoming({ from: FRIEND, body: `the last one of run ${run}` });
      truth = await pageState(bot.client);
    } finally {
      await bot.session.destroy();
    }
    if (run === 0) await cp(profileIn(folder), olderDir, { recursive: true, verbatimSymlinks: true });
  }
  if (truth === undefined) throw new Error('a profile needs at least one run');
  return { folder, truth, olderDir };
}

/** The profile of the bot in a folder. */
export function profileIn(folder: string): string {
  return join(folder, 'auth', 'session-bot');
}

/** Copies everything of the bot (profile, saves, backups), for damaging it. */
export async function copyOf(good: GoodProfile, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await cp(good.folder, folder, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
}

/** The data that differs between a start and the last snapshot; empty if none. A login only raises the ratchet. */
export function differences(then: PageState, now: PageState): string[] {
  const idsOf = ({ messages }: PageState) => new Set(messages.map(({ id }) => id));
  const missing = [...idsOf(then)].filter((id) => !idsOf(now).has(id)).length;
  const foreign = [...idsOf(now)].filter((id) => !idsOf(then).has(id)).length;
  const records = now.trafficCount - then.trafficCount;
  const found: string[] = [];
  if (now.account !== then.account || now.deviceId !== then.deviceId) found.push('another login');
  if (missing > 0) found.push(`${missing} messages lost`);
  if (foreign > 0) found.push(`${foreign} foreign messages`);
  if (now.ratchet < then.ratchet) found.push(`ratchet back from ${then.ratchet} to ${now.ratchet}`);
  if (records !== 0) found.push(`${records} records`);
  return found;
}

async function fillLocalStorage({ client }: PersistentBot, run: number): Promise<void> {
  const text = `window.localStorage.setItem('filler.${run}', '${run}'.repeat(${LOCAL_STORAGE_FILLER_CHARS}))`;
  await client.pupPage?.evaluate(text);
}

import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { systemFileSystem } from '../../../src/file-system.js';
import type { PersistentSessionOptions } from '../../../src/options.js';
import { type FaultyFileSystem, failingFileSystem } from '../../../src/testing/failing-file-system.js';
import { withDeadline } from '../../simulator/waiting.js';
import type { Dice } from '../../support/dice.js';
import { PersistentBot } from '../../support/persistent-bot.js';
import { browsersLeft, endBrowsers } from '../supervising/browsers.js';
import { type Measure, measure, type Places } from './measure.js';
import type { SoakRound } from './rounds.js';
import { RemoteSimulator } from './simulator.js';

const GENERATIONS = 3;
/** Puts the work of a long life into minutes: short waits, few generations, a save every few seconds. */
const OPTIONS: PersistentSessionOptions = {
  reconnectDelayMs: 50,
  reconnectMaxDelayMs: 500,
  // Attempts are counted from zero only after a minute without a loss, and no round leaves a minute.
  maxReconnectAttempts: Infinity,
  forceSaveIntervalMs: 5_000,
  backupIntervalMs: 20_000,
  sessionValidationIntervalMs: 7_000,
  retention: { saves: { keepLast: GENERATIONS }, backups: { keepLast: GENERATIONS, keepDaily: 1 } },
};
const ROUND_DEADLINE_MS = 90_000;
/** How long to wait for Chromium's helpers, some of which start after `ready`. */
const HELPERS_MS = 300;
/** How long to wait for the session's own work, for example a save, before its handles are counted. */
const WORK_MS = 5_000;
const LOOK_EVERY_MS = 20;

/** Runs one bot through one fault after the other, and measures what it costs. */
export class Soak {
  readonly measures: Measure[] = [];
  readonly problems: string[] = [];
  readonly #folder: string;
  readonly #dice: Dice;
  readonly #simulator: RemoteSimulator;
  readonly #fs: FaultyFileSystem;
  readonly #bot: PersistentBot;
  readonly #seconds = new Map<string, number[]>();
  readonly #onUnhandled = (error: unknown): void => {
    this.problems.push(`an unhandled rejection: ${error}`);
  };

  private constructor(folder: string, dice: Dice, simulator: RemoteSimulator) {
    this.#folder = folder;
    this.#dice = dice;
    this.#simulator = simulator;
    this.#fs = failingFileSystem(systemFileSystem);
    this.#bot = new PersistentBot({
      simulator,
      folder,
      session: { ...OPTIONS, fs: this.#fs },
      client: { takeoverOnConflict: true, takeoverTimeoutMs: 100 },
    });
    process.on('unhandledRejection', this.#onUnhandled);
  }

  /** Resolves when the bot is logged in, has as many snapshots as retention keeps, and is ready for the first fault. */
  static async start(folder: string, dice: Dice): Promise<Soak> {
    const simulator = await RemoteSimulator.start();
    // A folder of our own, so that files that Chromium forgets there are counted.
    process.env.TMPDIR = temporaryDirIn(folder);
    await mkdir(process.env.TMPDIR);
    const soak = new Soak(folder, dice, simulator);
    const bot = soak.#bot;
    const ready = bot.next('ready');
    await bot.session.initialize();
    await simulator.scan();
    await ready;
    await bot.settledSave();
    for (let generation = 0; generation < GENERATIONS; generation++) {
      await simulator.sendIncoming({ from: '4915100000002', body: `generation ${generation}` });
      await bot.session.forceSave();
      await bot.session.backup();
    }
    return soak;
  }

  /** Makes one fault and returns how many seconds the recovery took. A session that does not come back is a problem. */
  async round(number: number, { name, run }: SoakRound): Promise<number> {
    const qrs = this.#bot.qrCodes.length;
    const startedAt = performance.now();
    const stage = {
      bot: this.#bot,
      simulator: this.#simulator,
      fs: this.#fs,
      dice: this.#dice,
      untilState: (state: string) => this.#until(state),
    };
    try {
      const working = run(stage).then(() => this.#until('ready'));
      await withDeadline(working, ROUND_DEADLINE_MS, name);
    } catch (error) {
      this.#tell(number, name, error instanceof Error ? error.message : String(error));
    }
    const seconds = (performance.now() - startedAt) / 1000;
    if (this.#bot.qrCodes.length > qrs) this.#tell(number, name, 'a QR was shown');
    this.#seconds.set(name, [...(this.#seconds.get(name) ?? []), seconds]);
    await pause(HELPERS_MS);
    await untilIdle();
    this.#forget();
    this.measures.push(await measure(number, this.#places));
    return seconds;
  }

  secondsOf(fault: string): readonly number[] {
    return this.#seconds.get(fault) ?? [];
  }

  /** Stops everything and returns what is left. */
  async stop(): Promise<string[]> {
    await this.#bot.session.destroy();
    const browsers = await browsersLeft(this.#folder);
    endBrowsers(browsers);
    const last = await measure(0, this.#places);
    await this.#simulator.close();
    process.off('unhandledRejection', this.#onUnhandled);
    const left: string[] = [];
    if (browsers.length > 0) left.push(`${browsers.length} Chromium processes are left`);
    if (last.temporaryFiles > 0) {
      const names = await readdir(this.#places.temporaryDir, { recursive: true });
      left.push(`${last.temporaryFiles} temporary files are left: ${names.slice(0, 10)}`);
    }
    return left;
  }

  get #places(): Places {
    return {
      folder: this.#folder,
      temporaryDir: temporaryDirIn(this.#folder),
      profileDir: this.#bot.profileDir,
    };
  }

  async #until(state: string): Promise<void> {
    const end = performance.now() + ROUND_DEADLINE_MS;
    while (this.#bot.session.state !== state) {
      if (performance.now() > end) throw new Error(`not ${state}; it is ${this.#bot.session.state}`);
      await pause(LOOK_EVERY_MS);
    }
  }

  /** Clears the test's own records of a round, so that they do not count as growth. */
  #forget(): void {
    this.#bot.events.length = 0;
    this.#fs.arm({});
  }

  #tell(round: number, fault: string, problem: string): void {
    const history = this.#bot.events.map(({ name, payload }) => `\n    ${name} ${JSON.stringify(payload)}`);
    this.problems.push(`round ${round}, ${fault}: ${problem}; ${history.join('')}`);
  }
}

/** Waits while the session works, which keeps a port open. A port that is never released is still counted. */
async function untilIdle(): Promise<void> {
  const end = performance.now() + WORK_MS;
  while (process.getActiveResourcesInfo().includes('MessagePort') && performance.now() < end) {
    await pause(LOOK_EVERY_MS);
  }
}

function temporaryDirIn(folder: string): string {
  return join(folder, 'tmp');
}

import { rm } from 'node:fs/promises';
import { systemFileSystem } from '../../../src/file-system.js';
import { checkProfile } from '../../../src/profile/soundness.js';
import type { WhatsAppSimulator } from '../../simulator/server.js';
import type { Dice } from '../../support/dice.js';
import type { RealOrder } from '../children/real-session.js';
import { KillMoments } from '../synthetic/crash-moments.js';
import { findLeftovers } from '../synthetic/leftovers.js';
import { placesIn, seeSnapshots } from '../synthetic/world.js';
import type { RealKill, RealOperation, Victim } from './crash.js';
import { type OwnProcess, processesOf, RealChild, type RealEnded } from './crash-child.js';
import { Memory } from './crash-memory.js';

const fs = systemFileSystem;
const FRIEND = '4915100000002';
/** The times of the operations on an idle machine, ms, used until they are measured on this one. */
const ESTIMATES: Readonly<Record<RealOperation, number>> = {
  save: 400,
  backup: 700,
  prune: 60,
  restore: 3000,
  clear: 700,
  start: 2500,
  stop: 900,
};
const MAX_LEASE_FILES = 4;
const LOOKS = 100;
const LOOK_PAUSE_MS = 50;

export interface RealCrashBotParts {
  readonly folder: string;
  readonly simulator: WhatsAppSimulator;
  readonly library: string;
  readonly dice: Dice;
}

/** One bot that is killed repeatedly; each start is a new process. */
export class RealCrashBot {
  readonly #parts: RealCrashBotParts;
  readonly #moments = new KillMoments(ESTIMATES);
  readonly #memory = new Memory();
  #child: RealChild;
  #violations: string[] = [];

  constructor(parts: RealCrashBotParts) {
    this.#parts = parts;
    this.#child = this.#newChild();
  }

  /** Makes the first start, with a pairing. */
  async start(): Promise<void> {
    const started = await this.#child.obey({ call: 'initialize' });
    if (started.error !== undefined) throw new Error(`the first start failed: ${started.error}`);
    await this.#pair();
  }

  /** Begins an operation, kills the given victim, and starts a new process on the remaining files. */
  async killOnce(number: number, operation: RealOperation, victim: Victim): Promise<RealKill> {
    const startedAt = performance.now();
    this.#violations = [];
    const report = { number, operation, killed: '?', afterMs: 0, finished: false, nextStart: '?' };
    try {
      const order = await this.#prepare(operation);
      const { ended } = await this.#child.begin(order);
      const begun = performance.now();
      const outcome = await this.#moments.until(operation, ended, this.#parts.dice);
      report.finished = outcome !== undefined;
      report.afterMs = performance.now() - begun;
      if (outcome?.error !== undefined) this.#violated(`it failed without a kill: ${outcome.error}`);
      report.killed = await this.#strike(victim, ended);
      report.nextStart = await this.#startAfter(operation);
    } catch (error) {
      this.#violated(`the run broke: ${error instanceof Error ? error.message : String(error)}`);
      await this.#child.kill();
      this.#child = this.#newChild();
    }
    const seconds = (performance.now() - startedAt) / 1000;
    return { ...report, seconds, violations: this.#violations };
  }

  /** Stops the bot normally, so that nothing runs any more. */
  async stop(): Promise<void> {
    await this.#child.obey({ call: 'destroy' });
    await this.#child.kill();
    const { length } = await processesOf(this.#parts.folder);
    if (length > 0) throw new Error(`${length} processes outlive an orderly end`);
  }

  kill(): Promise<void> {
    return this.#child.kill();
  }

  /** Stores messages that must never be lost, and brings up a process that can run the operation. */
  async #prepare(operation: RealOperation): Promise<RealOrder> {
    const { simulator, folder, dice } = this.#parts;
    for (let n = 0; n < 2; n++) {
      this.#memory.stored(await simulator.sendIncoming({ from: FRIEND, body: `before a ${operation}` }));
    }
    // Gives a restore and a prune something to do, and the next save something new.
    await this.#timed('save', 'save');
    await this.#look();
    const snapshots = this.#memory.snapshotIds;
    this.#memory.stored(await simulator.sendIncoming({ from: FRIEND, body: `right before a ${operation}` }));
    this.#memory.begin();
    if (operation === 'restore') {
      const snapshotId = dice.pick(snapshots);
      this.#memory.allow([snapshotId]);
      return { call: 'restore', snapshotId };
    }
    if (operation === 'prune') return { call: 'prune' };
    if (operation !== 'start') return { call: operation === 'stop' ? 'destroy' : operation };
    await this.#timed('stop', 'destroy');
    await this.#child.kill();
    await this.#look();
    if (dice.below(2) === 0) {
      await rm(placesIn(folder).profileDir, { recursive: true, force: true });
      this.#memory.lose();
    }
    this.#child = this.#newChild();
    return { call: 'initialize' };
  }

  /** Kills and names the victim. A process that has only lost its browser continues and is stopped normally. */
  async #strike(victim: Victim, ended: Promise<RealEnded>): Promise<string> {
    const browser = victim === 'node' ? undefined : await this.#child.browser();
    if (browser !== undefined) killIfThere(browser);
    if (victim !== 'Chromium' || browser === undefined) {
      await this.#child.kill();
      return victim === 'node' ? 'node' : browser === undefined ? 'node, no browser ran' : 'both';
    }
    await ended; // limited by the child's deadline; it may fail, which is expected
    const { heard } = await this.#child.obey({ call: 'destroy' });
    this.#memory.heard(heard);
    await this.#child.kill();
    return 'Chromium';
  }

  /** Starts a new process, which must be `ready` with all data, unless the login was being cleared. */
  async #startAfter(operation: RealOperation): Promise<string> {
    const orphans = await processesOf(this.#parts.folder);
    await this.#look();
    const { profileDir } = placesIn(this.#parts.folder);
    const { verdict } = await checkProfile(profileDir, { fs, depth: 'quick', live: true });

    this.#child = this.#newChild();
    const started = await this.#timed('start', 'initialize');
    if (started.error !== undefined) throw new Error(`initialize() failed: ${started.error}`);
    await this.#assertEnded(orphans);
    if (started.codes > 0) {
      if (operation !== 'clear') this.#violated(`the next start showed a QR: ${started.heard.join(' | ')}`);
      else if (verdict === 'sound' && this.#memory.snapshotIds.length > 0) {
        this.#violated('a QR, although profile and snapshots are whole');
      }
      await this.#pair();
      await this.#assertTidy();
      return 'QR';
    }
    if (started.state !== 'ready') this.#violated(`the next start is ${started.state}`);
    const { page, error } = await this.#child.obey({ call: 'look' });
    if (page === undefined) throw new Error(`the page can't be read: ${error}`);
    for (const problem of this.#memory.judge(page, started.heard)) this.#violated(problem);
    await this.#assertTidy();
    return 'ready';
  }

  /** Times a complete operation, because a few dozen kills are too few to learn how long an operation takes. */
  async #timed(operation: RealOperation, call: 'save' | 'destroy' | 'initialize'): Promise<RealEnded> {
    const { ended } = await this.#child.begin({ call });
    const begun = performance.now();
    const outcome = await ended;
    const tookMs = performance.now() - begun;
    this.#moments.saw(operation, tookMs);
    // A restore is a start after the browser was closed.
    if (operation === 'start') this.#moments.saw('restore', tookMs + ESTIMATES.stop);
    return outcome;
  }

  /** Pairs a new login; no data of an earlier login may appear in it. */
  async #pair(): Promise<void> {
    await this.#parts.simulator.scan();
    const settled = await this.#child.obey({ call: 'settle' });
    if (settled.error !== undefined) throw new Error(`the pairing failed: ${settled.error}`);
    const { page } = await this.#child.obey({ call: 'look' });
    if (page !== undefined && page.messages.length > 0) {
      this.#violated(`${page.messages.length} messages of an earlier login after a pairing`);
    }
    this.#memory.paired(page?.deviceId);
    await this.#look();
  }

  /** Checks that every listed snapshot passes its verification. */
  async #look(): Promise<void> {
    const { snapshots, problems } = await seeSnapshots(fs, this.#parts.folder);
    for (const problem of problems) this.#violated(problem);
    this.#memory.seen(snapshots.map(({ id }) => id));
  }

  async #assertTidy(): Promise<void> {
    const { folder } = this.#parts;
    await this.#look();
    for (let look = 1; ; look++) {
      const { strange, leaseFiles } = await findLeftovers(fs, folder, new Set(this.#memory.snapshotIds));
      if (strange.length === 0 && leaseFiles <= MAX_LEASE_FILES) return;
      if (look === LOOKS) {
        this.#violated(`left behind: ${leaseFiles} lease files; ${strange.slice(0, 3).join(', ')}`);
        return;
      }
      await pause(); // an automatic save still has temporary files
    }
  }

  /** Checks that the browser of a killed process and its helpers have ended. */
  async #assertEnded(orphans: readonly OwnProcess[]): Promise<void> {
    for (let look = 1; ; look++) {
      const running = await processesOf(this.#parts.folder);
      const left = orphans.filter(({ pid, startedAt }) =>
        running.some((one) => one.pid === pid && one.startedAt === startedAt),
      );
      if (left.length === 0) return;
      if (look === LOOKS) return this.#violated(`${left.length} processes of the killed browser still run`);
      await pause();
    }
  }

  #newChild(): RealChild {
    const { library, folder, simulator } = this.#parts;
    return new RealChild({ library, folder, port: simulator.port, keepLast: 3 });
  }

  #violated(what: string): void {
    this.#violations.push(what.replaceAll(this.#parts.folder, ''));
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has already ended
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_PAUSE_MS));
}

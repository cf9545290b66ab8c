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
/** What the operations take on an idle machine, ms, until they are seen on this one. */
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

/** One bot that is killed again and again; each start is a new process. */
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

  /** The first start, with a pairing. */
  async start(): Promise<void> {
    const started = await this.#child.obey({ call: 'initialize' });
    if (started.error !== undefined) throw new Error(`the first start failed: ${started.error}`);
    await this.#pair();
  }

  /** Begins an operation, kills whom it is told to, and starts a new process on what is left. */
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

  /** An orderly end: nothing runs any more. */
  async stop(): Promise<void> {
    await this.#child.obey({ call: 'destroy' });
    await this.#child.kill();
    const { length } = await processesOf(this.#parts.folder);
    if (length > 0) throw new Error(`${length} processes outlive an orderly end`);
  }

  kill(): Promise<void> {
    return this.#child.kill();
  }

  /** Messages that nothing may lose, and a process that the operation can be asked of. */
  async #prepare(operation: RealOperation): Promise<RealOrder> {
    const { simulator, folder, dice } = this.#parts;
    for (let n = 0; n < 2; n++) {
      this.#memory.stored(await simulator.sendIncoming({ from: FRIEND, body: `before a ${operation}` }));
    }
    // So that there is something to restore and something to prune, and the next save has something new.
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

  /** Says who was killed. A process that has only lost its browser goes on, and is ended in order. */
  async #strike(victim: Victim, ended: Promise<RealEnded>): Promise<string> {
    const browser = victim === 'node' ? undefined : await this.#child.browser();
    if (browser !== undefined) killIfThere(browser);
    if (victim !== 'Chromium' || browser === undefined) {
      await this.#child.kill();
      return victim === 'node' ? 'node' : browser === undefined ? 'node, no browser ran' : 'both';
    }
    await ended; // bounded by the child's patience; that it failed is no wonder
    const { heard } = await this.#child.obey({ call: 'destroy' });
    this.#memory.heard(heard);
    await this.#child.kill();
    return 'Chromium';
  }

  /** What a new process makes of it: `ready` with everything, unless the login was being cleared. */
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

  /** A few dozen kills are too few to learn from them how long an operation takes: whole ones tell it, too. */
  async #timed(operation: RealOperation, call: 'save' | 'destroy' | 'initialize'): Promise<RealEnded> {
    const { ended } = await this.#child.begin({ call });
    const begun = performance.now();
    const outcome = await ended;
    const tookMs = performance.now() - begun;
    this.#moments.saw(operation, tookMs);
    // A restore is a start, after the browser was closed.
    if (operation === 'start') this.#moments.saw('restore', tookMs + ESTIMATES.stop);
    return outcome;
  }

  /** A login of its own: nothing of an earlier one may shine through. */
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

  /** Whatever is listed verifies. */
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
      await pause(); // a save that runs by itself has files in work
    }
  }

  /** The browser that a killed process has left, and its helpers. */
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
    // it has ended by itself meanwhile
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_PAUSE_MS));
}

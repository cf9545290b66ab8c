import { execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { type Order, profileIn, type Told } from '../children/order.js';
import { BUILT, compileChild, ROOT } from './compiled-child.js';
import type { Figures } from './figures.js';
import { isAfterRestart, type Operation, type Side } from './operations.js';
import type { ProfileStates } from './profile-states.js';

const PATIENCE_MS = 300_000;

export type Measured = Extract<Told, { readonly told: 'measured' }>;

/** Runs operations in child processes: plain node with the built package and the compiled code of bench/children. */
export class Contest {
  readonly #folder: string;
  readonly #flags: readonly string[];

  private constructor(folder: string, flags: readonly string[]) {
    this.#folder = folder;
    this.#flags = flags;
  }

  /** @param flags further node flags, for example `--cpu-prof` */
  static async open(flags: readonly string[] = []): Promise<Contest> {
    const folder = await mkdtemp(join(tmpdir(), 'wwebjs-bench-'));
    await compileChild('contest', folder);
    return new Contest(folder, flags);
  }

  /** One run: makes a fresh copy of the profile, stores what the operation needs, and runs the operation. */
  async run(side: Side, operation: Operation, states: ProfileStates): Promise<Measured> {
    const folder = join(this.#folder, side);
    await rm(folder, { recursive: true, force: true });
    try {
      await cp(states.before, profileIn(side, folder), { recursive: true });
      const order = {
        side,
        operation,
        folder,
        before: states.before,
        after: states.after,
        ...BUILT,
        remoteAuth: pathToFileURL(join(ROOT, 'node_modules/whatsapp-web.js/src/authStrategies/RemoteAuth.js'))
          .href,
      };
      if (isAfterRestart(operation)) await this.#ask({ ...order, step: 'prepare' }, []);
      await settleDisk(folder);
      const told = await this.#ask({ ...order, step: 'measure' }, this.#flags);
      if (told.told === 'measured') return told;
      throw new Error(`${side} told "${told.told}" of ${operation}`);
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #ask(order: Order, flags: readonly string[]): Promise<Told> {
    const args = ['--expose-gc', ...flags, join(this.#folder, 'contest.mjs')];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        clearTimeout(timer);
        child.kill('SIGKILL');
        reject(new Error(`${order.side}, ${order.operation}: ${why}`));
      };
      const timer = setTimeout(() => fail(`it took longer than ${PATIENCE_MS} ms`), PATIENCE_MS);
      let told: Told | undefined;
      child.on('message', (message) => {
        told = message as Told;
      });
      child.on('error', (error) => fail(error.message));
      child.on('exit', (code) => {
        if (told === undefined) return fail(`the process ended with ${code}`);
        if (told.told === 'failed') return fail(told.error);
        clearTimeout(timer);
        resolve(told);
      });
      child.send(order);
    });
  }
}

/** The figures of many runs, and whether each restored tree was equal to its source. */
export interface Runs {
  readonly figures: readonly Figures[];
  readonly isSame: boolean;
}

/** Runs both sides in turn, on equal copies of one profile, so that other load on the machine affects both. */
export async function interleaved(
  contest: Contest,
  operation: Operation,
  states: ProfileStates,
  runs: number,
): Promise<Readonly<Record<Side, Runs>>> {
  const all: Record<Side, Measured[]> = { remoteAuth: [], ours: [] };
  for (let run = 0; run < runs; run++) {
    const order: Side[] = run % 2 === 0 ? ['remoteAuth', 'ours'] : ['ours', 'remoteAuth'];
    for (const side of order) all[side].push(await contest.run(side, operation, states));
  }
  const summed = (measured: readonly Measured[]): Runs => ({
    figures: measured.map(({ figures }) => figures),
    isSame: measured.every(({ isSame }) => isSame),
  });
  return { remoteAuth: summed(all.remoteAuth), ours: summed(all.ours) };
}

/** Flushes the copy of the profile, so that its writes do not count in the measured time. */
async function settleDisk(folder: string): Promise<void> {
  await promisify(execFile)('sync', ['-f', folder]).catch(() => undefined);
}

import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundle } from '../../support/bundle.js';
import type { RealOrder, RealTold } from '../children/real-session.js';

const SCRIPT = fileURLToPath(new URL('../children/real-session.ts', import.meta.url));
/** Long, because a start may try several snapshots on a busy machine. */
const PATIENCE_MS = 180_000;

export type RealEnded = Extract<RealTold, { readonly told: 'ended' }>;

export interface RealChildOptions {
  /** The address of the library's entry. */
  readonly library: string;
  readonly folder: string;
  /** The port of the simulator. */
  readonly port: number;
  readonly keepLast: number;
}

/** A bot with the real client in its own process. The process, its browser, or both can be killed at any instant. */
export class RealChild {
  readonly #process: ChildProcess;
  readonly #exit: Promise<void>;
  readonly #loaded: Promise<RealTold>;
  readonly #folder: string;
  #stderr = '';

  constructor({ library, folder, port, keepLast }: RealChildOptions) {
    this.#folder = folder;
    this.#process = spawn(
      process.execPath,
      [...bundle(SCRIPT), library, folder, String(port), String(keepLast)],
      { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
    );
    this.#process.stderr?.on('data', (chunk) => {
      this.#stderr = `${this.#stderr}${chunk}`.slice(-2000);
    });
    this.#exit = new Promise((resolve) => this.#process.once('exit', () => resolve()));
    this.#process.setMaxListeners(0);
    this.#loaded = this.#next('loaded');
    this.#loaded.catch(() => undefined);
  }

  /** Resolves when the order has completed or failed. */
  async obey(order: RealOrder): Promise<RealEnded> {
    return (await this.begin(order)).ended;
  }

  /** Resolves when the child begins the order; `ended` resolves when it is done. */
  async begin(order: RealOrder): Promise<{ readonly ended: Promise<RealEnded> }> {
    await this.#loaded;
    // Listens for both messages from the start, because they may arrive in one turn.
    const begun = this.#next('begun');
    const ended = this.#next('ended') as Promise<RealEnded>;
    ended.catch(() => undefined);
    this.#process.send(order);
    await begun;
    return { ended };
  }

  /** The pid of the running browser: a child process of this child, with its folder in the arguments. */
  async browser(): Promise<number | undefined> {
    const running = await processesOf(this.#folder);
    return running.find(({ parent }) => parent === this.#process.pid)?.pid;
  }

  /** Sends SIGKILL without waiting for the end. */
  killNow(): void {
    this.#process.kill('SIGKILL');
  }

  /** Sends SIGKILL; resolves when the process has ended. */
  async kill(): Promise<void> {
    this.killNow();
    await this.#exit;
  }

  #next(wanted: RealTold['told']): Promise<RealTold> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        this.#process.off('message', listen);
        this.#process.off('exit', onExit);
      };
      const fail = (what: string) => {
        leave();
        reject(new Error(`the child ${what} before it told "${wanted}"; ${this.#stderr}`));
      };
      const listen = (told: RealTold) => {
        if (told.told !== wanted) return;
        leave();
        resolve(told);
      };
      const onExit = () => fail('was gone');
      const timer = setTimeout(() => fail(`took longer than ${PATIENCE_MS} ms`), PATIENCE_MS);
      this.#process.on('message', listen);
      this.#process.on('exit', onExit);
    });
  }
}

export interface OwnProcess {
  readonly pid: number;
  readonly parent: number;
  /** Together with the pid it identifies a process, because pids are reused. */
  readonly startedAt: string;
}

/** The processes with this folder in their command lines; nobody else uses the folder. */
export async function processesOf(folder: string): Promise<OwnProcess[]> {
  const own: OwnProcess[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    try {
      if (!(await readFile(`/proc/${name}/cmdline`, 'latin1')).includes(folder)) continue;
      const stat = await readFile(`/proc/${name}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // proc(5): starts at the third field
      own.push({ pid: Number(name), parent: Number(fields[1]), startedAt: fields[19] ?? '' });
    } catch {
      // it has ended meanwhile
    }
  }
  return own;
}

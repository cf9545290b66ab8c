import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const STOP_MS = 10_000;
const POLL_MS = 50;

/** A server that a test has started, and only that one: it is ended by its own process id. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #exit: Promise<void>;
  #isOver = false;
  #output = '';

  constructor(command: string, args: readonly string[], options: SpawnOptions = {}) {
    this.#child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output = `${this.#output}${chunk.toString('utf8')}`.slice(-4000);
      });
    }
    this.#exit = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#output += `\n${error.message}`;
        this.#isOver = true;
        resolve();
      });
      this.#child.once('exit', () => {
        this.#isOver = true;
        resolve();
      });
    });
  }

  /** What it printed last. */
  get output(): string {
    return this.#output;
  }

  /** SIGSTOP: it hangs, and its connections stay open. */
  suspend(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** Ends it at once, as a crash does, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exit;
  }

  /** Ends it in order, or hard after 10 s. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.resume();
    this.#child.kill(signal);
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await this.#exit;
    clearTimeout(late);
  }

  /** Waits until it answers; throws with what it printed if it ends, or does not answer in time. */
  async untilItAnswers(answers: () => Promise<boolean>, ms = 60_000): Promise<void> {
    const deadline = Date.now() + ms;
    while (!this.#isOver && Date.now() < deadline) {
      if (await answers().catch(() => false)) return;
      await pause(POLL_MS);
    }
    throw new Error(`${this.#child.spawnfile} does not answer: ${this.#output}`);
  }
}

/** A port of the loopback interface that is free at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(address)));
    });
  });
}

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BotProcessOptions } from '../e2e/children/bot-process.js';
import { bundle } from './bundle.js';

const SCRIPT = fileURLToPath(new URL('../e2e/children/bot-process.ts', import.meta.url));
const PATIENCE_MS = 60_000;

interface Line {
  readonly name: string;
  readonly payload: Record<string, unknown>;
}

/** A bot in its own node process, which a test can kill. */
export class BotProcess {
  readonly lines: Line[] = [];
  readonly exit: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #child: ChildProcess;
  readonly #waiters = new Set<() => void>();

  constructor(folder: string, port: number, options: BotProcessOptions = {}) {
    const args = [...bundle(SCRIPT), folder, String(port), JSON.stringify(options)];
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const { stdout } = this.#child;
    if (stdout) createInterface({ input: stdout }).on('line', (line) => this.#onLine(line));
    this.exit = new Promise((resolve) => {
      this.#child.on('exit', (code, signal) => resolve({ code, signal }));
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves with the first matching line, whether it was printed already or comes later. */
  waitFor(name: string, fits: (payload: Record<string, unknown>) => boolean = () => true): Promise<Line> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(look);
        reject(
          new Error(`no ${name} within ${PATIENCE_MS} ms; told: ${this.lines.map((line) => line.name)}`),
        );
      }, PATIENCE_MS);
      const look = () => {
        const found = this.lines.find((line) => line.name === name && fits(line.payload));
        if (!found) return;
        clearTimeout(timer);
        this.#waiters.delete(look);
        resolve(found);
      };
      this.#waiters.add(look);
      look();
    });
  }

  #onLine(text: string): void {
    this.lines.push(JSON.parse(text) as Line);
    for (const look of [...this.#waiters]) look();
  }
}

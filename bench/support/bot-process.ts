import { type ChildProcess, spawn } from 'node:child_process';
import type { BotAsked, BotOrder, BotSample, BotTold } from '../children/bot-at-work.js';

const PATIENCE_MS = 120_000;

type ToldAs<Name extends BotTold['told']> = Extract<BotTold, { readonly told: Name }>;

/** One bot in a node process of its own. */
export class BotProcess {
  readonly #child: ChildProcess;
  readonly #name: string;

  private constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#child = child;
  }

  /** @param flags further node flags, for example `--cpu-prof` */
  static spawn(script: string, name: string, flags: readonly string[] = []): BotProcess {
    const child = spawn(process.execPath, [...flags, script], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    return new BotProcess(name, child);
  }

  /** Starts the bot and its traffic; resolves with the time from `initialize()` to `ready`. */
  async start(order: BotOrder): Promise<number> {
    return (await this.#ask(order, 'ready')).readyMs;
  }

  async sample(): Promise<BotSample> {
    return (await this.#ask('sample', 'sample')).sample;
  }

  /** What the page has written, and how often the bot has stored its session. */
  page(): Promise<ToldAs<'page'>> {
    return this.#ask('page', 'page');
  }

  async backUp(): Promise<void> {
    await this.#ask('back-up', 'backed-up');
  }

  /** Ends the bot in order. */
  end(): Promise<void> {
    return this.#until((child, done) => {
      child.once('exit', () => done());
      child.send('end' satisfies BotAsked);
    });
  }

  /** For a run that has failed. */
  kill(): void {
    if (this.#child.exitCode === null) this.#child.kill('SIGTERM'); // puppeteer ends Chromium with it
  }

  #ask<Name extends BotTold['told']>(asked: BotAsked, name: Name): Promise<ToldAs<Name>> {
    return this.#until((child, done) => {
      const hear = (message: unknown) => {
        const told = message as BotTold;
        if (told.told !== name) return;
        child.off('message', hear);
        done(told as ToldAs<Name>);
      };
      child.on('message', hear);
      child.send(asked);
    });
  }

  #until<T>(work: (child: ChildProcess, done: (value: T) => void) => void): Promise<T> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const gone = (code: number | null) =>
        settle(() => reject(new Error(`${this.#name} ended with ${code}`)));
      const timer = setTimeout(
        () => settle(() => reject(new Error(`${this.#name} gave no answer for ${PATIENCE_MS} ms`))),
        PATIENCE_MS,
      );
      const settle = (how: () => void) => {
        clearTimeout(timer);
        child.off('exit', gone);
        how();
      };
      work(child, (value) => settle(() => resolve(value)));
      child.once('exit', gone);
    });
  }
}

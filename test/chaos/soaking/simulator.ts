import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SimulatorModes, WhatsAppSimulator } from '../../simulator/server.js';

export interface SimulatorCall {
  readonly id: number;
  readonly method:
    | 'conflict'
    | 'goOffline'
    | 'goOnline'
    | 'resume'
    | 'scan'
    | 'sendIncoming'
    | 'setModes'
    | 'timeout';
  readonly args: readonly unknown[];
}

export interface SimulatorAnswer {
  /** The id of the call; 0 means that the simulator has started. */
  readonly id: number;
  readonly error?: string;
  readonly port?: number;
}

const SCRIPT = fileURLToPath(new URL('../children/simulator-process.ts', import.meta.url));
const PATIENCE_MS = 60_000;

/** A simulator in its own process. */
export class RemoteSimulator implements Pick<WhatsAppSimulator, 'port'> {
  #port = 0;
  #lastId = 0;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: SimulatorAnswer) => void>();

  private constructor() {
    this.#child = fork(SCRIPT, { execArgv: ['--import', 'tsx'] });
    this.#child.on('message', (answer: SimulatorAnswer) => this.#waiting.get(answer.id)?.(answer));
  }

  static async start(): Promise<RemoteSimulator> {
    const simulator = new RemoteSimulator();
    const { port = 0 } = await simulator.#answerTo(0, 'start');
    simulator.#port = port;
    return simulator;
  }

  get port(): number {
    return this.#port;
  }

  async scan(): Promise<void> {
    await this.#call('scan');
  }

  async sendIncoming(message: { readonly from: string; readonly body: string }): Promise<void> {
    await this.#call('sendIncoming', message);
  }

  async goOffline(): Promise<void> {
    await this.#call('goOffline');
  }

  async goOnline(): Promise<void> {
    await this.#call('goOnline');
  }

  async conflict(): Promise<void> {
    await this.#call('conflict');
  }

  async timeout(): Promise<void> {
    await this.#call('timeout');
  }

  async resume(): Promise<void> {
    await this.#call('resume');
  }

  async setModes(modes: SimulatorModes): Promise<void> {
    await this.#call('setModes', modes);
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.disconnect();
    await ended;
  }

  async #call(method: SimulatorCall['method'], ...args: readonly unknown[]): Promise<void> {
    const id = ++this.#lastId;
    const answered = this.#answerTo(id, method);
    this.#child.send({ id, method, args } satisfies SimulatorCall);
    const { error } = await answered;
    if (error !== undefined) throw new Error(error);
  }

  #answerTo(id: number, what: string): Promise<SimulatorAnswer> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        finish();
      };
      const timer = setTimeout(
        () => settle(() => reject(new Error(`the simulator did not answer to ${what}`))),
        PATIENCE_MS,
      );
      this.#waiting.set(id, (answer) => settle(() => resolve(answer)));
    });
  }
}

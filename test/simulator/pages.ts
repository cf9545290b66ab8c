import type { ServerResponse } from 'node:http';
import type { Changes } from './waiting.js';

export type PageStatus = 'loading' | 'qr' | 'online';

/** One load of the page in some browser. */
export interface OpenPage {
  /** An increasing number: of two pages, the one with the higher number was loaded later. */
  readonly pageId: number;
  status: PageStatus;
  /** The reference in the page's QR, which shows whether a QR is still the present one. */
  ref: string;
  pairingCode?: string;
  deviceId?: string;
  stream?: ServerResponse;
}

export interface Command {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface CommandOptions {
  /** Whether a page may get the command; the newest connected page is chosen. */
  readonly accepts: (page: OpenPage) => boolean;
  readonly timeoutMs: number;
  /** The command makes the client close the page, perhaps before it answers, so a page that is gone has received it. */
  readonly endsThePage?: boolean;
}

interface Answer {
  readonly error?: string;
  readonly result?: unknown;
}

/** Knows the open pages and sends commands to the newest one. */
export class Pages {
  readonly #pages = new Map<number, OpenPage>();
  readonly #answers = new Map<number, Answer>();
  readonly #changes: Changes;
  readonly #describe: () => string;
  #lastPageId = 0;
  #lastCommandId = 0;

  constructor(changes: Changes, describe: () => string) {
    this.#changes = changes;
    this.#describe = describe;
  }

  add(ref: string): OpenPage {
    this.#lastPageId += 1;
    const page: OpenPage = { pageId: this.#lastPageId, status: 'loading', ref };
    this.#pages.set(page.pageId, page);
    return page;
  }

  get(pageId: number): OpenPage | undefined {
    return this.#pages.get(pageId);
  }

  newest(): OpenPage | undefined {
    return this.connected().at(-1);
  }

  connected(): OpenPage[] {
    return [...this.#pages.values()].filter((page) => page.stream !== undefined);
  }

  connect(page: OpenPage, stream: ServerResponse): void {
    page.stream?.destroy();
    page.stream = stream;
    // `retry` is how long the browser waits before it reconnects.
    stream.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    stream.write('retry: 250\n\n');
    stream.on('close', () => {
      if (page.stream !== stream) return;
      delete page.stream;
      this.#changes.notify();
    });
    this.#changes.notify();
  }

  answer(commandId: number, answer: Answer): void {
    this.#answers.set(commandId, answer);
    this.#changes.notify();
  }

  /** Sends without waiting for an answer. */
  tell(page: OpenPage, command: Command): number {
    this.#lastCommandId += 1;
    page.stream?.write(`data: ${JSON.stringify({ ...command, commandId: this.#lastCommandId })}\n\n`);
    return this.#lastCommandId;
  }

  /**
   * Waits for a page that accepts the command, sends it, and resolves with the page's answer. If the page goes away
   * before (reload, kill), waits for the next one within the same deadline.
   */
  async ask(create: (page: OpenPage) => Command, options: CommandOptions): Promise<unknown> {
    const deadline = performance.now() + options.timeoutMs;
    const left = () => deadline - performance.now();
    let type = 'a command';
    const what = () => `The page did not take '${type}' (${this.#describe()})`;
    for (;;) {
      const page = await this.#changes.until(
        () => {
          const newest = this.newest();
          return newest !== undefined && options.accepts(newest) ? newest : undefined;
        },
        left(),
        () => `No page was there that takes a command (${this.#describe()})`,
      );
      const { stream } = page;
      const command = create(page);
      type = command.type;
      const commandId = this.tell(page, command);
      const answer = await this.#changes.until<Answer | 'gone'>(
        () => this.#answers.get(commandId) ?? (page.stream === stream ? undefined : 'gone'),
        left(),
        what,
      );
      this.#answers.delete(commandId);
      if (answer === 'gone') {
        if (options.endsThePage) return undefined;
        continue;
      }
      if (answer.error !== undefined) throw new Error(`The page refused '${type}': ${answer.error}`);
      return answer.result;
    }
  }
}

import { describeError } from '../errors.js';
import { oneLine } from './start-error.js';

/** A page that fails a thousand times a second must not fill the memory. */
const MAX_KEPT = 5;
const MAX_LENGTH = 200;

/**
 * What went wrong in the page, and in the client's functions that the page calls: nobody waits for either, so a start
 * that comes to nothing is told with the last of it.
 */
export class PageNews {
  #messages: readonly string[] = [];

  note(what: string, error: unknown): void {
    // What fails in the page brings its stack in the message.
    const [first = ''] = describeError(error).message.trimStart().split('\n', 1);
    const said = oneLine(first, MAX_LENGTH);
    // A function that fails does so in the page as well, which knows less of it.
    if (said !== '' && this.last?.includes(said)) return;
    this.#messages = [...this.#messages, `${what}: ${said}`].slice(-MAX_KEPT);
  }

  /** A new page begins. */
  clear(): void {
    this.#messages = [];
  }

  get last(): string | undefined {
    return this.#messages.at(-1);
  }

  get all(): readonly string[] {
    return this.#messages;
  }
}

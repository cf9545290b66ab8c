import { describeError } from '../errors.js';
import { oneLine } from './start-error.js';

/** Only the last few errors are kept: a page that fails a thousand times a second must not fill the memory. */
const MAX_KEPT = 5;
const MAX_LENGTH = 200;

/**
 * Collects the errors in the page, and in the client's functions that the page calls. Nobody awaits these, so the last one
 * is added to the error of a start that fails.
 */
export class PageNews {
  #messages: readonly string[] = [];

  note(what: string, error: unknown): void {
    // The message of an error in the page includes its stack.
    const [first = ''] = describeError(error).message.trimStart().split('\n', 1);
    const said = oneLine(first, MAX_LENGTH);
    // An error of an exposed function also comes from the page, with fewer details.
    if (said !== '' && this.last?.includes(said)) return;
    this.#messages = [...this.#messages, `${what}: ${said}`].slice(-MAX_KEPT);
  }

  /** To be called when a new page begins. */
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

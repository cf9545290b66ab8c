import type { Clock, TimerHandle } from '../clock.js';

/** Time between two questions, ms. */
const ASK_EVERY_MS = 5000;
/** After so many questions without an answer the log tells of it. */
const TELL_AFTER = 6;
/**
 * After so many questions without an answer the thread stands still. Its calls of files never hold up its answers, whatever
 * the disk does, so a minute is no slow disk.
 */
const STILL_AFTER = 12;
/** How long a thread may be silent before it stands still, ms. */
export const STILL_AFTER_MS = STILL_AFTER * ASK_EVERY_MS;

export interface ThreadWatchHooks {
  /** Sends a question; the answer is anything that the thread says. */
  readonly ask: () => void;
  readonly tell: (silentMs: number) => void;
  readonly isStill: () => void;
}

/**
 * Asks a thread that has work whether it still turns. Questions are counted, not the time: a process that was suspended
 * has asked nothing meanwhile.
 */
export class ThreadWatch {
  readonly #clock: Clock;
  readonly #hooks: ThreadWatchHooks;
  #timer: TimerHandle;
  #isWatching = false;
  #unanswered = 0;

  constructor(clock: Clock, hooks: ThreadWatchHooks) {
    this.#clock = clock;
    this.#hooks = hooks;
  }

  /** How long the thread has not answered while it has work, ms. */
  get silentMs(): number {
    return this.#unanswered * ASK_EVERY_MS;
  }

  /** Call when the thread has work. Idempotent. */
  begin(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    // Not now, because most work is done before.
    this.#timer = this.#clock.setTimeout(() => this.#ask(), ASK_EVERY_MS);
  }

  /** Call when the thread has no more work. */
  end(): void {
    this.#isWatching = false;
    this.#unanswered = 0;
    this.#clock.clearTimeout(this.#timer);
  }

  /** Call with anything that the thread has said. */
  noteAnswer(): void {
    this.#unanswered = 0;
  }

  #ask(): void {
    if (!this.#isWatching) return;
    this.#hooks.ask();
    this.#timer = this.#clock.setTimeout(() => this.#look(), ASK_EVERY_MS);
  }

  #look(): void {
    if (!this.#isWatching) return;
    this.#unanswered++;
    if (this.#unanswered >= STILL_AFTER) return this.#hooks.isStill();
    if (this.#unanswered === TELL_AFTER) this.#hooks.tell(this.silentMs);
    this.#ask();
  }
}

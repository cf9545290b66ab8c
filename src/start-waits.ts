import type { Clock, TimerHandle } from './clock.js';
import type { WarningCode } from './events.js';

/** What a start, or a call that needs the ownership, may have to wait for. */
export type WaitedFor =
  /** Whether the process that had the lease last still runs: it is on another machine or in another container. */
  | { readonly kind: 'lease'; readonly holder: { readonly host: string; readonly pid: number } | undefined }
  /** Another session of this process is being closed. */
  | { readonly kind: 'session' }
  /** The login of a removed profile is being held, which stores have not noted yet. */
  | { readonly kind: 'hold' }
  /** A browser that a killed process left is being ended. */
  | { readonly kind: 'browser'; readonly pid: number }
  /** The disk of a folder that the session needs has not answered yet. */
  | { readonly kind: 'disk'; readonly folders: readonly string[] }
  /** A call of the bot that replaces or deletes the profile: `restore()`, `importSession()` or `clear()`. */
  | { readonly kind: 'call' }
  /** The last starts have failed, and the next one may not follow at once. */
  | { readonly kind: 'turn' };

/** A wait that lasts long enough to be told. */
export interface StartWait {
  readonly what: WaitedFor;
  /** What is waited for, who has it and how long at most; in English. */
  readonly message: string;
  readonly advice: string;
  /** When it began, ms since 1970. */
  readonly since: number;
  /** Absent where the wait has no bound of its own. */
  readonly maxMs: number | undefined;
}

/** A wait that is shorter is no news, ms. */
const TELL_AFTER_MS = 1000;

interface Entry {
  readonly wait: StartWait;
  readonly timer: TimerHandle;
  count: number;
  isTold: boolean;
}

/** Tells what a start waits for, so that nobody takes it for a bot that hangs. */
export class StartWaits {
  readonly #clock: Clock;
  readonly #warn: (code: WarningCode, message: string) => void;
  /** By what is waited for: two leases of one process are one piece of news. */
  readonly #entries = new Map<string, Entry>();

  constructor({
    clock,
    warn,
  }: {
    readonly clock: Clock;
    readonly warn: (code: WarningCode, message: string) => void;
  }) {
    this.#clock = clock;
    this.#warn = warn;
  }

  /** The wait that was told of first and lasts. */
  get current(): StartWait | undefined {
    return [...this.#entries.values()].find(({ isTold }) => isTold)?.wait;
  }

  /** Call where a wait begins. The returned function ends it (idempotent). */
  begin(what: WaitedFor, maxMs?: number): () => void {
    const key = JSON.stringify(what);
    const entry = this.#entries.get(key) ?? this.#enter(key, what, maxMs);
    entry.count++;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      entry.count--;
      if (entry.count > 0) return;
      this.#clock.clearTimeout(entry.timer);
      this.#entries.delete(key);
    };
  }

  /** Counts `work` as such a wait. Settles like `work`. */
  async during<Result>(
    what: WaitedFor,
    maxMs: number | undefined,
    work: () => Promise<Result>,
  ): Promise<Result> {
    const end = this.begin(what, maxMs);
    try {
      return await work();
    } finally {
      end();
    }
  }

  #enter(key: string, what: WaitedFor, maxMs: number | undefined): Entry {
    const wait = { what, ...textOf(what, maxMs), since: this.#clock.now(), maxMs };
    const tell = () => {
      entry.isTold = true;
      this.#warn('start-waits', `${wait.message} ${wait.advice}`);
    };
    const entry: Entry = {
      wait,
      timer: this.#clock.setTimeout(tell, TELL_AFTER_MS),
      count: 0,
      isTold: false,
    };
    this.#entries.set(key, entry);
    return entry;
  }
}

function textOf(what: WaitedFor, maxMs = 0): Pick<StartWait, 'message' | 'advice'> {
  const most = `${Math.ceil(maxMs / 1000)} seconds`;
  switch (what.kind) {
    case 'lease': {
      const { holder } = what;
      const who = holder
        ? `process ${holder.pid} on host ${holder.host}`
        : 'an unknown process (its lease file can not be read)';
      return {
        message: `The session waits for at most ${most} to see whether ${who} still has this session.`,
        advice:
          'If that one has ended, for example with its container, nothing is to be done: it goes on by itself. ' +
          'If it runs, stop it, because a session can run only once.',
      };
    }
    case 'session':
      return {
        message: `The session waits for at most ${most} until another session of this process (pid ${process.pid}) has left the profile.`,
        advice: 'Nothing is to be done: that one is being closed, and it goes on by itself.',
      };
    case 'hold':
      return {
        message: `The session waits for at most ${most} until the stores have noted that the login of a removed profile is held.`,
        advice: 'It goes on by itself; check the disks of the stores if it comes again.',
      };
    case 'browser':
      return {
        message: `The session waits for at most ${most} until a browser has ended that a killed process left (pid ${what.pid}).`,
        advice: 'Nothing is to be done: it goes on by itself.',
      };
    case 'disk':
      return {
        message: `The session waits for at most ${most} for the disk of ${what.folders.join(' or ')} to answer.`,
        advice: 'Check that disk: it hangs, or it is a network share that is gone.',
      };
    case 'call':
      return {
        message:
          'The session waits for the end of a restore(), importSession() or clear() that was called before the start.',
        advice: 'It goes on by itself; a store that is slow, or hangs, delays it.',
      };
    case 'turn':
      return {
        message: `The session waits for at most ${most} because the last start has failed, and the next one may not follow at once.`,
        advice: 'It goes on by itself; mend the cause of the failure meanwhile.',
      };
  }
}

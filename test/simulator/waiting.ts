import { setTimeout as delay } from 'node:timers/promises';

/**
 * An object with `on` and `off`: a whatsapp-web.js Client, a PersistentSession, a puppeteer Page. `never` accepts every
 * typed emitter, whatever its event names are.
 */
export interface Emitter {
  on(event: never, listener: never): unknown;
  off(event: never, listener: never): unknown;
}

interface UntypedEmitter {
  on(event: string, listener: (argument: never) => void): unknown;
  off(event: string, listener: (argument: never) => void): unknown;
}

/**
 * Resolves with the first argument of the next `name` event, rejects after `timeoutMs`.
 * Call it *before* the action that causes the event.
 *
 * @example const qr = await waitForEvent<string>(client, 'qr', 30_000);
 */
export function waitForEvent<T = unknown>(emitter: Emitter, name: string, timeoutMs: number): Promise<T> {
  const source = emitter as UntypedEmitter;
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      source.off(name, listener);
      reject(new Error(`No '${name}' event within ${timeoutMs} ms.`));
    }, timeoutMs);
    const listener = (argument: T) => {
      clearTimeout(timer);
      source.off(name, listener);
      resolve(argument);
    };
    source.on(name, listener);
  });
}

/** Stops waiting for `work` after `timeoutMs`; the work itself continues. */
export async function withDeadline<T>(work: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  const over = new AbortController();
  const deadline = delay(timeoutMs, undefined, { signal: over.signal }).then(() => {
    throw new Error(`${what}: not done within ${timeoutMs} ms.`);
  });
  deadline.catch(() => undefined); // it is aborted when the work is done
  try {
    return await Promise.race([work, deadline]);
  } finally {
    over.abort();
  }
}

/** Waits for conditions of a shared state; the code that changes the state calls `notify()`. */
export class Changes {
  readonly #waiters = new Set<() => void>();
  #closed: Error | undefined;

  notify(): void {
    for (const check of [...this.#waiters]) check();
  }

  /** Resolves with the first result of `check` that is not undefined. */
  until<T>(check: () => T | undefined, timeoutMs: number, what: () => string): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settle = (finish: () => void) => {
        clearTimeout(timer);
        this.#waiters.delete(attempt);
        finish();
      };
      const attempt = () => {
        if (this.#closed !== undefined) return settle(() => reject(this.#closed));
        try {
          const result = check();
          if (result !== undefined) settle(() => resolve(result));
        } catch (error) {
          settle(() => reject(error));
        }
      };
      const timer = setTimeout(
        () => settle(() => reject(new Error(`${what()}: not within ${timeoutMs} ms.`))),
        Math.max(timeoutMs, 0),
      );
      this.#waiters.add(attempt);
      attempt();
    });
  }

  close(reason: Error): void {
    this.#closed = reason;
    this.notify();
  }
}

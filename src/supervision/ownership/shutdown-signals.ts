import { constants } from 'node:os';
import { type Clock, systemClock, withDeadline } from '../../clock.js';
import { keepProcessAlive } from '../../keep-alive.js';

/**
 * A repeated signal this soon after the first one counts as a duplicate. On Ctrl-C, both the terminal and npm signal
 * the process; Heroku signals every process, and npm also forwards its copy (docs/chromium-facts.md F4.3).
 */
export const DUPLICATE_SIGNAL_MS = 500;

/** The part of `process` that the coordinator needs. */
export interface SignalledProcess {
  readonly pid: number;
  listenerCount(signal: NodeJS.Signals): number;
  prependListener(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  removeListener(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  kill(pid: number, signal: NodeJS.Signals): unknown;
  exit(code: number): unknown;
}

/** A session's registration for a shutdown. */
export interface ShutdownRegistration {
  readonly signals: readonly NodeJS.Signals[];
  /** Saves and closes. May be called again for another signal; then it joins the running shutdown. */
  readonly shutdown: (signal: NodeJS.Signals) => Promise<void>;
  /** How long the process waits for the shutdown, ms. */
  readonly budgetMs: number;
}

/** A signal that is being handled. */
interface Answer {
  readonly since: number;
  /**
   * Whether the process had another listener when the signal came. Then that listener decides when the process ends.
   */
  readonly shared: boolean;
}

/**
 * One signal handler for all sessions of the process.
 *
 * On a signal it waits for the shutdown of every registered session (until it settles or its budget is used up). Then
 * it raises the signal again, but only if nobody else listens to it, so that the process ends as it would without us.
 * The same signal during the wait is handed on at once, by the same rule.
 */
export class ShutdownCoordinator {
  readonly #process: SignalledProcess;
  readonly #clock: Clock;
  readonly #registrations = new Set<ShutdownRegistration>();
  readonly #listening = new Set<NodeJS.Signals>();
  readonly #answers = new Map<NodeJS.Signals, Answer>();

  constructor(options: { readonly process?: SignalledProcess; readonly clock?: Clock } = {}) {
    this.#process = options.process ?? process;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Listens to `signals` until the returned function is called (idempotent).
   *
   * @example
   * const unregister = shutdownCoordinator.register({
   *   signals: ['SIGTERM'], shutdown: () => session.destroy(), budgetMs: 10_000,
   * });
   */
  register(registration: ShutdownRegistration): () => void {
    const entry = { ...registration, signals: [...registration.signals] };
    this.#registrations.add(entry);
    for (const signal of entry.signals) this.#updateListener(signal);
    return () => {
      this.#registrations.delete(entry);
      for (const signal of entry.signals) this.#updateListener(signal);
    };
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    const running = this.#answers.get(signal);
    if (running === undefined) {
      void this.#answer(signal);
    } else if (this.#clock.monotonic() - running.since >= DUPLICATE_SIGNAL_MS) {
      this.#handOn(signal, running);
    }
  };

  async #answer(signal: NodeJS.Signals): Promise<void> {
    // Our listener is called first, so the `once` listeners of others are still counted here.
    const shared = this.#process.listenerCount(signal) > 1;
    const answer = { since: this.#clock.monotonic(), shared };
    this.#answers.set(signal, answer);
    // The clock's timers are unref'd. Without this, a bot whose browser is closed would end before the budget is used
    // up.
    const release = keepProcessAlive();
    try {
      const concerned = [...this.#registrations].filter(({ signals }) => signals.includes(signal));
      await Promise.allSettled(concerned.map((registration) => this.#shutDown(registration, signal)));
    } finally {
      release();
      if (this.#answers.get(signal) === answer) this.#handOn(signal, answer);
    }
  }

  #shutDown({ shutdown, budgetMs }: ShutdownRegistration, signal: NodeJS.Signals): Promise<void> {
    const work = Promise.resolve().then(() => shutdown(signal));
    return withDeadline(this.#clock, budgetMs, `the shutdown on ${signal}`, work);
  }

  #handOn(signal: NodeJS.Signals, answer: Answer): void {
    this.#answers.delete(signal);
    this.#stopListening(signal);
    const othersDecide = answer.shared || this.#process.listenerCount(signal) > 0;
    if (othersDecide) return this.#updateListener(signal);
    try {
      this.#process.kill(this.#process.pid, signal);
    } catch {
      // Windows can raise only SIGINT and SIGTERM.
      this.#process.exit(128 + (constants.signals[signal] ?? 0));
    }
    // In a container, the kernel does not apply a signal's default action to pid 1, so the process must exit itself.
    if (this.#process.pid === 1) this.#process.exit(128 + (constants.signals[signal] ?? 0));
  }

  /**
   * Listens while a session wants it or while a signal is being handled, since a duplicate must not kill the process.
   */
  #updateListener(signal: NodeJS.Signals): void {
    const wanted =
      this.#answers.has(signal) || [...this.#registrations].some(({ signals }) => signals.includes(signal));
    if (!wanted) return this.#stopListening(signal);
    if (this.#listening.has(signal)) return;
    this.#listening.add(signal);
    this.#process.prependListener(signal, this.#onSignal);
  }

  #stopListening(signal: NodeJS.Signals): void {
    if (!this.#listening.delete(signal)) return;
    this.#process.removeListener(signal, this.#onSignal);
  }
}

/**
 * The only coordinator of this process, shared by the ESM and the CJS build. Two coordinators would each take the
 * other's listener for a foreign one, and the process would never end.
 */
export const shutdownCoordinator: ShutdownCoordinator = sharedCoordinator();

function sharedCoordinator(): ShutdownCoordinator {
  const key = Symbol.for('wwebjs-persistent-session.shutdown-coordinator.v1');
  const shared = globalThis as unknown as Record<symbol, ShutdownCoordinator | undefined>;
  shared[key] ??= new ShutdownCoordinator();
  return shared[key];
}

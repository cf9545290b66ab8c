import type { PageHandle } from '../../client/client-types.js';
import type { PageProbe } from '../../client/page-probe.js';
import type { SessionEventName, SessionEventPayloads } from '../../events.js';
import type { HealthReport, HealthStatus } from '../../health.js';
import { LogThrottle } from '../../log-throttle.js';
import { PeriodicTask } from '../../periodic-task.js';
import { isUp } from '../../state.js';
import type { SessionContext } from '../context/session-context.js';
import type { StartRetries } from '../reconnect/start-retries.js';
import type { SettleWatch } from '../save/settle-watch.js';
import type { DegradedTimer } from '../watch/degraded-timer.js';
import { evaluate } from './evaluate.js';
import { EventLoopMeter } from './event-loop-meter.js';
import { FactsReader } from './facts-reader.js';
import { SnapshotLedger } from './snapshot-ledger.js';

export interface HealthMonitorParts {
  readonly startRetries: StartRetries;
  readonly degradedTimer: DegradedTimer;
  readonly settleWatch: SettleWatch;
}

/** A check that is running, and who waits for it. */
interface RunningCheck {
  readonly report: Promise<HealthReport>;
  readonly generation: number;
  /** The page when the check began, and whether the session was up then. */
  readonly page: PageHandle | undefined;
  readonly wasUp: boolean;
  /** Whether the timer started it (`isTimed`), and whether a caller asked for it (`isAsked`). */
  isTimed: boolean;
  isAsked: boolean;
}

/** Checks the session's health on a timer, from `initialize()` to the end of `destroy()`, and on request. */
export class HealthMonitor {
  readonly #context: SessionContext;
  readonly #degradedTimer: DegradedTimer;
  readonly #ledger: SnapshotLedger;
  readonly #meter = new EventLoopMeter();
  readonly #reader: FactsReader;
  readonly #timer: PeriodicTask;
  readonly #throttle: LogThrottle;
  #running: RunningCheck | undefined;
  #generation = 0;
  #lastStatus: HealthStatus | undefined;
  /** Since when the session has been up, monotonic ms. */
  #upSince: number | undefined;

  constructor(context: SessionContext, { startRetries, degradedTimer, settleWatch }: HealthMonitorParts) {
    const { clock, random, options } = context;
    this.#context = context;
    this.#throttle = new LogThrottle(clock);
    this.#degradedTimer = degradedTimer;
    this.#ledger = new SnapshotLedger(context);
    this.#reader = new FactsReader(context, {
      startRetries,
      settleWatch,
      ledger: this.#ledger,
      meter: this.#meter,
    });
    this.#timer = new PeriodicTask({
      clock,
      random,
      intervalMs: options.healthCheckIntervalMs,
      work: () => this.#join('isTimed'),
      onError: (error) => this.#tellFailure('the health check failed', error),
    });
  }

  /** Call when the session is initialised. */
  start(): void {
    this.#meter.start();
    this.#timer.start();
  }

  /** Call when the session is at rest again: from now on, no timed check is announced. */
  stop(): void {
    this.#generation++;
    this.#timer.stop();
    this.#meter.stop();
  }

  /** Checks now, or joins a check that is running and looks at the same page. Never rejects. */
  check(): Promise<HealthReport> {
    return this.#join('isAsked');
  }

  /** Call with every event of the session. */
  note<Name extends SessionEventName>(name: Name, payload: SessionEventPayloads[Name]): void {
    this.#ledger.note(name, payload);
    if (name === 'state:changed') this.#follow(payload as SessionEventPayloads['state:changed']);
  }

  #follow({ to }: SessionEventPayloads['state:changed']): void {
    if (!isUp(to)) this.#upSince = undefined;
    else this.#upSince ??= this.#context.clock.monotonic();
    if (to === 'stopped' || to === 'idle') this.stop();
  }

  #join(reason: 'isTimed' | 'isAsked'): Promise<HealthReport> {
    const running = this.#current() ?? this.#begin();
    running[reason] = true;
    return running.report;
  }

  /** The running check, unless it began before the session came up: it would call a page that answers not connected. */
  #current(): RunningCheck | undefined {
    const { driver, state } = this.#context;
    const running = this.#running;
    if (running === undefined || !isUp(state())) return running;
    return running.wasUp && running.page === driver.page ? running : undefined;
  }

  #begin(): RunningCheck {
    // Starts later in this tick, when the caller has set `isTimed` or `isAsked`.
    const report = Promise.resolve()
      .then(() => this.#check(running))
      .finally(() => this.#end(running)); // also when the check fails; otherwise every later call would join it
    const { driver, state } = this.#context;
    const running: RunningCheck = {
      report,
      generation: this.#generation,
      page: driver.page,
      wasUp: isUp(state()),
      isTimed: false,
      isAsked: false,
    };
    this.#running = running;
    return running;
  }

  async #check(running: RunningCheck): Promise<HealthReport> {
    const { state, clock } = this.#context;
    const facts = await this.#reader.read();
    if (running.wasUp && facts.probe) this.#tellOfPage(facts.probe, running.page, running.isTimed);
    const upMs = this.#upSince === undefined ? undefined : clock.monotonic() - this.#upSince;
    const report: HealthReport = Object.freeze({
      ...evaluate({ ...facts, state: state(), upMs }),
      checkedAt: new Date(clock.now()).toISOString(),
    });
    // A newer check has told more already, or will. A listener that asks again gets this report, or it would cause one check
    // after another without a pause.
    const isNewest = this.#running === running;
    if (isNewest && (running.isAsked || running.generation === this.#generation)) this.#announce(report);
    return report;
  }

  #end(running: RunningCheck): void {
    if (this.#running === running) this.#running = undefined;
  }

  #tellOfPage({ answered }: PageProbe, page: PageHandle | undefined, timed: boolean): void {
    const { driver } = this.#context;
    // If the page has changed in the meantime, its own events tell the state.
    if (page !== driver.page) return;
    try {
      if (driver.connected) this.#degradedTimer.onProbe({ answered, timed });
      else this.#degradedTimer.onNoBrowser({ timed });
    } catch (error) {
      this.#tellFailure('what the page answered could not be followed', error); // the report is still valid
    }
  }

  #tellFailure(message: string, error: unknown): void {
    const told = this.#throttle.next(message);
    if (told) this.#context.logger.error(message, { error, ...told });
  }

  #announce(report: HealthReport): void {
    const { announce } = this.#context;
    const from = this.#lastStatus;
    const to = report.status;
    this.#lastStatus = to;
    announce('health:checked', { report });
    if (from !== undefined && from !== to) announce('health:changed', { from, to, report });
  }
}

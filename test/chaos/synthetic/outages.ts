import { sleep } from '../../../src/clock.js';
import type { DisconnectCause, SessionEventName } from '../../../src/events.js';
import { silentLogger } from '../../../src/logger.js';
import { DEFAULT_OPTIONS } from '../../../src/options.js';
import { StartRetries } from '../../../src/supervision/reconnect/start-retries.js';
import type { StartResult } from '../../../src/supervision/start/session-starter.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { Dice } from '../../support/dice.js';

/** The causes that end a session or a start. */
export const OUTAGE_CAUSES = [
  'browser-gone',
  'page-crashed',
  'timeout',
  'conflict',
  'unresponsive',
  'unpaired',
  'deprecated-version',
  'proxy-blocked',
  'tos-blocked',
  'state-lost',
  'never-ready',
  'start-failed',
  'logged-out',
] as const satisfies readonly DisconnectCause[];

export interface OutageRow {
  readonly cause: DisconnectCause;
  outages: number;
  /** Number of outages that were made to heal within the attempts. */
  healing: number;
  recovered: number;
  /** Number of outages that do not heal in time and ended in `failed`. */
  gaveUp: number;
  attemptsUsed: number;
  mostAttempts: number;
}

export interface OutageReport {
  readonly rows: readonly OutageRow[];
  readonly starts: number;
  readonly violations: readonly string[];
}

/** The settings of one bot and its session, from one `initialize()` to the next. */
interface Settings {
  readonly baseMs: number;
  readonly maxMs: number;
  readonly maxAttempts: number;
}

interface Plan {
  readonly cause: DisconnectCause;
  /** How long WhatsApp is unreachable, ms. */
  readonly networkMs: number;
  /** The number of starts that fail for reasons other than the network. */
  readonly failures: number;
  readonly heals: boolean;
}

const STABLE_MS = 60_000;
const CONFLICT_FLOOR_MS = 60_000;
const NETWORK_CAP_MS = 15_000;
const LONGEST_NETWORK_MS = 60 * 60 * 1000;
const OUTAGES_PER_BOT = 25;
/** Time limit on the manual clock, enough for ten attempts with waits of five minutes and an hour of outage. */
const PATIENCE_MS = 24 * 60 * 60 * 1000;

/**
 * Runs the real `StartRetries` through outages of random causes and lengths on a manual clock. The starts are fakes
 * that take a random time; the conditions are checked at every start.
 */
export async function simulateOutages(plan: {
  readonly outages: number;
  readonly seed: number;
  readonly onProgress?: (done: number) => void;
}): Promise<OutageReport> {
  const dice = new Dice(plan.seed);
  const rows = new Map<DisconnectCause, OutageRow>();
  const violations: string[] = [];
  let starts = 0;
  for (let done = 0; done < plan.outages; ) {
    const bot = new OutageBot(dice, rows, violations);
    const count = Math.min(OUTAGES_PER_BOT, plan.outages - done);
    for (let outage = 0; outage < count; outage++) await bot.sufferOutage();
    starts += bot.starts;
    done += count;
    plan.onProgress?.(done);
  }
  return { rows: [...rows.values()].sort((a, b) => (a.cause < b.cause ? -1 : 1)), starts, violations };
}

/** A session as `StartRetries` sees it. Predicts the result of each outage by its own count. */
class OutageBot {
  starts = 0;
  readonly #clock = new ManualClock();
  readonly #dice: Dice;
  readonly #rows: Map<DisconnectCause, OutageRow>;
  readonly #violations: string[];
  readonly #settings: Settings;
  readonly #startAsAsked: StartRetries;
  #used = 0;
  #loggedInAnew = false;
  #networkUntil = 0;
  #failuresLeft = 0;
  #failWith: DisconnectCause = 'start-failed';
  #isStarting = false;
  #lastStart = 0;
  #announcedMs = 0;
  #readyAt = 0;
  #mayStartAtOnce = false;

  constructor(dice: Dice, rows: Map<DisconnectCause, OutageRow>, violations: string[]) {
    this.#dice = dice;
    this.#rows = rows;
    this.#violations = violations;
    this.#settings = {
      baseMs: dice.pick([1, 1000, 5000, 30_000]),
      maxMs: dice.pick([500, 60_000, 300_000]),
      maxAttempts: dice.pick([1, 2, 5, 10, Number.POSITIVE_INFINITY]),
    };
    const options = {
      ...DEFAULT_OPTIONS,
      reconnectDelayMs: this.#settings.baseMs,
      reconnectMaxDelayMs: this.#settings.maxMs,
      maxReconnectAttempts: this.#settings.maxAttempts,
      maxInitRetries: 0,
    };
    this.#startAsAsked = new StartRetries(
      {
        options,
        clock: this.#clock,
        random: dice.next,
        logger: silentLogger,
        moveTo: () => undefined,
        lease: { isUnproven: () => false },
        announce: (name, payload) => this.#check(name, payload),
      },
      { starter: { start: (signal) => this.#start(signal), tryOlderCopy: async () => ({}) } },
    );
  }

  async sufferOutage(): Promise<void> {
    const uptimeMs = this.#dice.pick([0, 1, 30_000, STABLE_MS - 1, STABLE_MS, 600_000]);
    await this.#clock.advance(uptimeMs);
    const plan = this.#plan(this.#clock.monotonic() - this.#readyAt);
    const row = this.#row(plan.cause);
    const result = await this.#bringUpAgain(plan);
    row.outages++;
    if (plan.heals) row.healing++;
    if (result === 'ready') row.recovered++;
    if (result === 'gave-up') row.gaveUp++;
    const expected = plan.heals ? 'ready' : 'gave-up';
    if (result !== expected) this.#violate(`${plan.cause} ended as ${result}, not ${expected}`);
    const used = this.#startAsAsked.attempt;
    row.attemptsUsed += used;
    row.mostAttempts = Math.max(row.mostAttempts, used);
    if (used > this.#settings.maxAttempts) this.#violate(`${used} attempts of ${this.#settings.maxAttempts}`);
    if (this.#clock.pendingTimers > 0) this.#violate(`${this.#clock.pendingTimers} timers were left`);
    if (result !== 'ready') this.#beginAnew();
    this.#used = this.#startAsAsked.attempt;
  }

  /** Decides the outage in advance, so that its expected result is known. */
  #plan(uptimeMs: number): Plan {
    const { maxAttempts } = this.#settings;
    if (uptimeMs >= STABLE_MS) {
      this.#used = 0;
      this.#loggedInAnew = false;
    }
    const cause = this.#dice.pick(OUTAGE_CAUSES);
    const isAnsweredAtOnce = cause === 'logged-out' && !this.#loggedInAnew;
    if (isAnsweredAtOnce) this.#used = 0;
    this.#mayStartAtOnce = isAnsweredAtOnce;
    const left = maxAttempts - this.#used; // the number of remaining starts, of which the last may succeed
    const heals = left > 0 && this.#dice.below(10) > 0;
    const bound = Math.min(left, 12);
    const networkMs = this.#dice.below(3) === 0 ? LONGEST_NETWORK_MS ** this.#dice.next() : 0;
    const endless = Number.isFinite(maxAttempts) ? Number.POSITIVE_INFINITY : 0;
    return {
      cause,
      networkMs,
      failures: heals ? this.#dice.below(bound) : endless,
      heals: heals || endless === 0,
    };
  }

  async #bringUpAgain({ cause, networkMs, failures }: Plan): Promise<string> {
    this.#networkUntil = this.#clock.monotonic() + networkMs;
    this.#failuresLeft = failures;
    this.#failWith = cause === 'logged-out' ? 'start-failed' : cause;
    if (cause === 'logged-out') this.#loggedInAnew = true;
    const { signal } = new AbortController();
    let result: string | undefined;
    const run = this.#startAsAsked.run({ signal, cause }).then(
      ({ kind }) => {
        result = kind;
      },
      (error: unknown) => {
        const code = error instanceof Error && 'code' in error ? error.code : undefined;
        result = code === 'START_FAILED' ? 'gave-up' : String(error);
      },
    );
    const end = this.#clock.monotonic() + PATIENCE_MS;
    while (result === undefined && this.#clock.monotonic() < end) await this.#clock.advance(10_000);
    if (result === undefined) return 'no end';
    await run;
    return result;
  }

  async #start(signal: AbortSignal): Promise<StartResult> {
    const now = this.#clock.monotonic();
    if (this.#isStarting) this.#violate('two starts at once');
    const sinceLast = now - this.#lastStart;
    const leastMs = this.#mayStartAtOnce ? 0 : this.#announcedMs;
    if (sinceLast < leastMs) this.#violate(`two starts within ${sinceLast} ms, not ${leastMs}`);
    this.#mayStartAtOnce = false;
    this.#announcedMs = Number.POSITIVE_INFINITY; // no start without an announced delay
    this.#lastStart = now;
    this.#isStarting = true;
    this.starts++;
    const isOffline = now < this.#networkUntil;
    await sleep(this.#clock, this.#dice.pick([0, 1, 800, 45_000]), signal);
    this.#isStarting = false;
    if (isOffline) return failed('network-down');
    if (this.#failuresLeft-- > 0) return failed(this.#failWith);
    this.#noteReady();
    return { kind: 'ready' };
  }

  #check(name: SessionEventName, payload: unknown): void {
    if (name !== 'reconnect:scheduled') return;
    const { cause, delayMs } = payload as { readonly cause: DisconnectCause; readonly delayMs: number };
    const { baseMs, maxMs } = this.#settings;
    this.#announcedMs = delayMs;
    const cap = cause === 'network-down' ? Math.min(NETWORK_CAP_MS, maxMs) : maxMs;
    const [least, most] =
      cause === 'conflict'
        ? [CONFLICT_FLOOR_MS, Math.max(CONFLICT_FLOOR_MS, maxMs, baseMs)]
        : [Math.max(1, Math.floor(Math.min(baseMs, cap) / 2)), cap];
    if (delayMs < least || delayMs > most)
      this.#violate(`${cause} waits ${delayMs} ms, not ${least} to ${most}`);
  }

  /** Starts again like `initialize()` after `failed`. */
  #beginAnew(): void {
    this.#startAsAsked.reset();
    this.#loggedInAnew = false;
    this.#noteReady();
  }

  #noteReady(): void {
    this.#startAsAsked.noteReady();
    this.#readyAt = this.#clock.monotonic();
  }

  #row(cause: DisconnectCause): OutageRow {
    const row = this.#rows.get(cause) ?? {
      cause,
      outages: 0,
      healing: 0,
      recovered: 0,
      gaveUp: 0,
      attemptsUsed: 0,
      mostAttempts: 0,
    };
    this.#rows.set(cause, row);
    return row;
  }

  #violate(what: string): void {
    this.#violations.push(`${what} (${JSON.stringify(this.#settings)})`);
  }
}

function failed(cause: DisconnectCause): StartResult {
  return { kind: 'failed', cause, error: new Error(cause) };
}

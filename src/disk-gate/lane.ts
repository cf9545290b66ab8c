import type { Clock, TimerHandle } from '../clock.js';

/** How a lane runs a call. */
export interface LaneCall<T> {
  readonly clock: Clock;
  /** Whether it moves a whole file or tree, or waits for all that was written before it. Default: it does not. */
  readonly isLong?: boolean;
  /** Whether it goes before the others that wait. Default: it does not. */
  readonly isUrgent?: boolean;
  /** A disk that answers at all does so within this time, ms. */
  readonly ms: number;
  /** Makes the error for a call that was refused or given up because the disk does not answer. */
  readonly refusal: () => Error;
  /** Whether the call itself fails after the time limit. If `false`, its caller has its own deadline. */
  readonly isGivenUp: boolean;
  /** Receives the result of a call that was already given up. */
  readonly late?: (value: T) => void;
}

interface Waiting {
  readonly isLong: boolean;
  readonly isUrgent: boolean;
  readonly begin: () => void;
  readonly refuse: () => void;
}

interface UnderWay {
  readonly isLong: boolean;
  isStuck: boolean;
  /** Makes sure that it is noticed when the call does not come back in time. */
  readonly watch: () => void;
}

/** Turns of the event loop that a late answer gets: after a pause of the process the timers fire before the answers come. */
const LAST_TURNS = 8;
/** After so many urgent calls one of the others has its turn, so that no number of urgent ones keeps them waiting for ever. */
const URGENT_IN_A_ROW = 4;

/**
 * Limits the calls that are made to one disk at the same time: `width` of them, at most one of them long, so that quick
 * calls can pass a long one. Urgent calls go first. While a call hangs, no further call of its kind is started, because
 * each would block another of the four threads in which node works on all files of the process.
 */
export class Lane {
  readonly #width: number;
  #waiting: Waiting[] = [];
  /** Files that could not be closed yet. */
  readonly #unclosed: (() => Promise<void>)[] = [];
  readonly #underWay = new Set<UnderWay>();
  #urgentInARow = 0;

  constructor(width = 1) {
    this.#width = width;
  }

  /** Whether any call that is running has exceeded its time limit. */
  get isStuck(): boolean {
    for (const { isStuck } of this.#underWay) if (isStuck) return true;
    return false;
  }

  /** @throws the error of `call`; the call's refusal while the disk does not answer */
  run<T>(call: () => Promise<T>, how: LaneCall<T>): Promise<T> {
    const { isLong = false, isUrgent = false } = how;
    if (this.#refuses(isLong)) return Promise.reject(how.refusal());
    return new Promise((resolve, reject) => {
      if (this.#isFree(isLong)) {
        this.#urgentInARow = 0;
        return this.#begin(call, how, resolve, reject);
      }
      this.#waiting.push({
        isLong,
        isUrgent,
        begin: () => this.#begin(call, how, resolve, reject),
        refuse: () => reject(how.refusal()),
      });
      this.#next();
    });
  }

  /** Closes a file. If the disk does not answer now, the file is closed later and nobody waits for that. */
  async close(call: () => Promise<void>, how: LaneCall<void>): Promise<void> {
    let isBegun = false;
    const begin = () => {
      isBegun = true;
      return call();
    };
    try {
      await this.run(begin, how);
    } catch (error) {
      if (isBegun) throw error;
      this.#unclosed.push(() => this.run(call, how));
    }
  }

  /** A quick call that hangs blocks all new calls; a long call that hangs blocks only new long ones. */
  #refuses(isLong: boolean): boolean {
    for (const one of this.#underWay) if (one.isStuck && (isLong || !one.isLong)) return true;
    return false;
  }

  /** Whether a call of this kind may begin at once: nothing waits, and there is room for it. */
  #isFree(isLong: boolean): boolean {
    return this.#waiting.length === 0 && this.#underWay.size < this.#width && !(isLong && this.#hasLong);
  }

  get #hasLong(): boolean {
    for (const { isLong } of this.#underWay) if (isLong) return true;
    return false;
  }

  #next(): void {
    for (let next = this.#takeNext(); next !== undefined; next = this.#takeNext()) next.begin();
    if (this.#waiting.length > 0) for (const one of this.#underWay) one.watch();
  }

  #takeNext(): Waiting | undefined {
    if (this.#waiting.length === 0 || this.#underWay.size >= this.#width) return undefined;
    const hasLong = this.#hasLong;
    const mayBegin = ({ isLong }: Waiting) => !isLong || !hasLong;
    const urgent = this.#waiting.findIndex((one) => one.isUrgent && mayBegin(one));
    const other = this.#waiting.findIndex((one) => !one.isUrgent && mayBegin(one));
    const isUrgentsTurn = urgent >= 0 && (other < 0 || this.#urgentInARow < URGENT_IN_A_ROW);
    this.#urgentInARow = isUrgentsTurn && other >= 0 ? this.#urgentInARow + 1 : 0;
    const index = isUrgentsTurn ? urgent : other;
    return index < 0 ? undefined : this.#waiting.splice(index, 1)[0];
  }

  #begin<T>(
    call: () => Promise<T>,
    { clock, ms, refusal, isGivenUp, late, isLong = false }: LaneCall<T>,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ): void {
    const latest = clock.monotonic() + ms;
    let timer: TimerHandle | undefined;
    let isOver = false;
    let isLate = false;
    const giveUp = async () => {
      for (let turn = 0; turn < LAST_TURNS && !isOver; turn++) await nextTurn();
      if (isOver) return;
      underWay.isStuck = true;
      this.#refuseWaiting();
      isLate = isGivenUp;
      if (isGivenUp) reject(refusal());
    };
    const watch = () => {
      timer ??= clock.setTimeout(() => void giveUp(), Math.max(0, latest - clock.monotonic()));
    };
    const underWay: UnderWay = { isLong, isStuck: false, watch };
    this.#underWay.add(underWay);
    if (isGivenUp) watch(); // else a timer is of no use before somebody waits
    const end = () => {
      isOver = true;
      clock.clearTimeout(timer);
      this.#underWay.delete(underWay);
      this.#onBack();
    };
    made(call).then(
      (value) => {
        end();
        if (isLate) late?.(value);
        else resolve(value);
      },
      (error: unknown) => {
        end();
        reject(error);
      },
    );
  }

  #refuseWaiting(): void {
    const refused = this.#waiting.filter(({ isLong }) => this.#refuses(isLong));
    this.#waiting = this.#waiting.filter(({ isLong }) => !this.#refuses(isLong));
    for (const { refuse } of refused) refuse();
  }

  #onBack(): void {
    if (!this.isStuck) for (const close of this.#unclosed.splice(0)) close().catch(() => undefined);
    this.#next();
  }
}

/** Turns a synchronous error of a user's file system into a rejection. */
async function made<T>(call: () => Promise<T>): Promise<T> {
  return call();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

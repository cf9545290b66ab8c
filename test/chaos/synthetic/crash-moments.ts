import type { Dice } from '../../support/dice.js';

/** Extends the range beyond the usual time of an operation, so that kills also hit its very end. */
const OVERSHOOT = 1.15;
/** Long, so that the first operation of an unknown kind runs to its end. */
const FIRST_ESTIMATE_MS = 5000;
/** The last part of a wait spins: a timer is only exact to a millisecond or two, and much happens in that time. */
const SPIN_MS = 3;

/** Chooses the instant of each kill, anywhere in the time that the operation takes on this machine. */
export class KillMoments {
  /** How long each operation takes, ms, learned from interrupted operations. */
  readonly #estimates: Map<string, number>;

  constructor(estimates: Readonly<Record<string, number>> = {}) {
    this.#estimates = new Map(Object.entries(estimates));
  }

  /** Waits for the instant. If the operation ends before, resolves to how it ended. */
  async until<Ended>(operation: string, ended: Promise<Ended>, dice: Dice): Promise<Ended | undefined> {
    const known = this.#estimates.get(operation);
    const share = dice.next() * OVERSHOOT;
    const begun = performance.now();
    const outcome = await untilDueOrEnded(ended, known === undefined ? FIRST_ESTIMATE_MS : known * share);
    this.#learn(operation, known, outcome && performance.now() - begun);
    return outcome;
  }

  /** Notes how long an operation took without a kill. */
  saw(operation: string, tookMs: number): void {
    this.#estimates.set(operation, tookMs);
  }

  /** Follows the times of operations that completed; if one did not complete, the estimate was too short and grows. */
  #learn(operation: string, known = FIRST_ESTIMATE_MS, tookMs?: number): void {
    const isFirst = !this.#estimates.has(operation);
    const next = tookMs === undefined ? known * 1.02 : isFirst ? tookMs : known * 0.8 + tookMs * 0.2;
    this.#estimates.set(operation, next);
  }
}

async function untilDueOrEnded<Ended>(ended: Promise<Ended>, delayMs: number): Promise<Ended | undefined> {
  const begun = performance.now();
  let outcome: Ended | undefined;
  const noted = ended.then(
    (told) => {
      outcome = told;
    },
    () => undefined,
  );
  let timer: NodeJS.Timeout | undefined;
  const nearlyDue = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, delayMs - SPIN_MS));
  });
  await Promise.race([noted, nearlyDue]);
  clearTimeout(timer);
  while (outcome === undefined && performance.now() - begun < delayMs) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  return outcome;
}

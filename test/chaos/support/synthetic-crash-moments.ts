import type { Ended } from './synthetic-child.js';
import type { CrashOperation } from './synthetic-crash.js';
import type { Dice } from './synthetic-dice.js';

/** Beyond what an operation usually takes, so that its very end is met, too. */
const OVERSHOOT = 1.15;
/** The first of each kind runs to its end. */
const FIRST_ESTIMATE_MS = 5000;

/** Chooses the instant of each kill: anywhere in the time that the operation takes on this machine. */
export class KillMoments {
  /** How long each operation takes, learned while they are cut short. */
  readonly #estimates = new Map<CrashOperation, number>();

  /** Waits for the instant. Resolves to how the operation ended, if it did so before. */
  async until(operation: CrashOperation, ended: Promise<Ended>, dice: Dice): Promise<Ended | undefined> {
    const known = this.#estimates.get(operation);
    const share = dice.next() * OVERSHOOT;
    const begun = performance.now();
    const outcome = await untilDueOrEnded(ended, known === undefined ? FIRST_ESTIMATE_MS : known * share);
    this.#learn(operation, known, outcome && performance.now() - begun);
    return outcome;
  }

  /** Follows what was seen to its end; where nothing gets there, the estimate was too short. */
  #learn(operation: CrashOperation, known = FIRST_ESTIMATE_MS, tookMs?: number): void {
    const isFirst = !this.#estimates.has(operation);
    const next = tookMs === undefined ? known * 1.02 : isFirst ? tookMs : known * 0.8 + tookMs * 0.2;
    this.#estimates.set(operation, next);
  }
}

/** Spins: a timer is exact to a millisecond only, and much happens within one. */
async function untilDueOrEnded(ended: Promise<Ended>, delayMs: number): Promise<Ended | undefined> {
  const begun = performance.now();
  let outcome: Ended | undefined;
  ended.then(
    (told) => {
      outcome = told;
    },
    () => undefined,
  );
  while (outcome === undefined && performance.now() - begun < delayMs) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  return outcome;
}

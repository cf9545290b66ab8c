/**
 * Watches a text that its live owner keeps changing, and says when it has not changed for long enough.
 *
 * Only time between two looks counts, and at most twice the usual interval per look: a process that was suspended
 * together with the owner (a paused virtual machine, a closed laptop) has seen nothing of the time between.
 */
export class StallDetector {
  #text: string | undefined;
  #lookedAt = 0;
  #stillMs = 0;

  constructor(
    private readonly neededMs: number,
    private readonly lookEveryMs: number,
  ) {}

  /** For how long the text was seen to stand still, ms. */
  get stillMs(): number {
    return this.#stillMs;
  }

  /**
   * `new` at the first look, `moved` when the text changed since the last look, `over` once it has not changed for
   * `neededMs`.
   *
   * @param knownMs for how long this text has stood still at least, as far as others knew before `atMs`
   */
  look(text: string, atMs: number, knownMs = 0): 'new' | 'moved' | 'still' | 'over' {
    const before = this.#text;
    const elapsed = Math.min(atMs - this.#lookedAt, 2 * this.lookEveryMs);
    this.#text = text;
    this.#lookedAt = atMs;
    const ownMs = before === text ? this.#stillMs + elapsed : 0;
    this.#stillMs = Math.max(ownMs, knownMs);
    if (before !== text) return before === undefined ? 'new' : 'moved';
    return this.#stillMs >= this.neededMs ? 'over' : 'still';
  }
}

/**
 * Watches something that its owner changes all the time, and tells when it stood still for long enough.
 *
 * Only time between two looks counts, and no more of it than a look is meant to take: one who was suspended
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

  /** `new` at the first look, `moved` when it changed since the last, `over` once it stood still for `neededMs`. */
  look(text: string, atMs: number): 'new' | 'moved' | 'still' | 'over' {
    const before = this.#text;
    const elapsed = Math.min(atMs - this.#lookedAt, 2 * this.lookEveryMs);
    this.#text = text;
    this.#lookedAt = atMs;
    if (before !== text) {
      this.#stillMs = 0;
      return before === undefined ? 'new' : 'moved';
    }
    this.#stillMs += elapsed;
    return this.#stillMs >= this.neededMs ? 'over' : 'still';
  }
}

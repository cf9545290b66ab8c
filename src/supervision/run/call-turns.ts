/**
 * Lets the calls that replace or delete the login run one after the other, in the order in which they were made. Else what
 * an earlier call puts in place could come after a later one.
 */
export class CallTurns {
  #last: Promise<unknown> | undefined;

  /** Whether a call made now would run at once. */
  get isFree(): boolean {
    return this.#last === undefined;
  }

  /** Runs `call` when all earlier ones have settled; at once, in the same tick, if there are none. Settles like `call`. */
  take<Result>(call: () => Promise<Result>): Promise<Result> {
    const before = this.#last;
    const calling = before === undefined ? call() : before.then(call);
    const leave = () => this.#leave(settled);
    const settled: Promise<void> = calling.then(leave, leave);
    this.#last = settled;
    return calling;
  }

  #leave(settled: Promise<unknown>): void {
    if (this.#last === settled) this.#last = undefined;
  }
}

interface Step {
  readonly name: string;
  readonly result: string;
  readonly seconds: number;
  readonly ok: boolean;
}

/** Runs steps one after the other, prints each one as it runs, and prints a table at the end. */
export class Steps {
  readonly #steps: Step[] = [];
  #running: { readonly name: string; readonly since: number } | undefined;

  get failed(): boolean {
    return this.#steps.length === 0 || this.#steps.some(({ ok }) => !ok);
  }

  async run(name: string, work: () => Promise<string>): Promise<void> {
    console.log(`→ ${name} ...`);
    this.#running = { name, since: performance.now() };
    const result = await work();
    this.#end(result, true);
  }

  /** Throws if a step does not show the expected result, so that the whole run fails. */
  expect(condition: boolean, what: string): void {
    if (!condition) throw new Error(`expected: ${what}`);
  }

  fail(error: unknown): void {
    this.#end(error instanceof Error ? (error.stack ?? error.message) : String(error), false);
  }

  printTable(): void {
    const width = Math.max(...this.#steps.map(({ name }) => name.length));
    console.log(`\n${'step'.padEnd(width)}  seconds  what was seen`);
    console.log('-'.repeat(width + 60));
    for (const { name, seconds, result, ok } of this.#steps) {
      console.log(
        `${name.padEnd(width)}  ${seconds.toFixed(1).padStart(7)}  ${ok ? '' : 'FAILED: '}${result}`,
      );
    }
    const total = this.#steps.reduce((sum, { seconds }) => sum + seconds, 0);
    console.log(
      `${'in all'.padEnd(width)}  ${total.toFixed(1).padStart(7)}  ${this.failed ? 'FAILED' : 'all seen'}`,
    );
  }

  #end(result: string, ok: boolean): void {
    const { name, since } = this.#running ?? { name: 'before the first step', since: performance.now() };
    this.#running = undefined;
    const seconds = (performance.now() - since) / 1000;
    this.#steps.push({ name, result, seconds, ok });
    console.log(`  ${ok ? '✓' : '✗'} ${result.split('\n')[0]} (${seconds.toFixed(1)} s)`);
  }
}

/** Which call of a file system fails, and how. */
export interface FaultPlan {
  /** The n-th matching call fails, counted from 1. Absent: none does, they are only counted. */
  readonly failOn?: number;
  /**
   * How many calls in a row fail. Default 1. `Infinity`: nothing works from there on, not even the cleaning up, as if
   * the process had been killed right before that call.
   */
  readonly times?: number;
  /** Code of the error. Default `EIO`. */
  readonly errno?: string;
  /**
   * Which operations match, for example `rename`, `handle.sync` or `writeStream.write`; all by default. Functions of
   * `fs.promises` go by their own names, those of an open file as `handle.*`, those of streams as `readStream.read`,
   * `writeStream.write`, `writeStream.final`.
   */
  readonly operation?: string | RegExp;
  /** Which paths match: a part of it, or a pattern; all by default. Of two paths either counts. */
  readonly path?: string | RegExp;
}

/** One call that a faulty file system has seen. */
export interface FileSystemCall {
  readonly operation: string;
  readonly paths: readonly string[];
  /** Whether it was made to fail. */
  readonly failed: boolean;
}

/** Counts calls and decides which of them fail. */
export class FaultCounter {
  readonly calls: FileSystemCall[] = [];
  #plan: FaultPlan;
  #matching = 0;

  constructor(plan: FaultPlan) {
    this.#plan = plan;
  }

  /** Calls so far that matched the fault plan. */
  get matching(): number {
    return this.#matching;
  }

  /** Starts anew with another plan. */
  arm(plan: FaultPlan): void {
    this.#plan = plan;
    this.#matching = 0;
    this.calls.length = 0;
  }

  /** Records a call; the error it is to fail with, if it is. */
  next(operation: string, paths: readonly string[]): NodeJS.ErrnoException | undefined {
    const { failOn, times = 1, errno = 'EIO' } = this.#plan;
    const matches =
      fits(this.#plan.operation, operation, (wanted) => wanted === operation) &&
      (this.#plan.path === undefined ||
        paths.some((path) => fits(this.#plan.path, path, (part) => path.includes(part))));
    if (matches) this.#matching += 1;
    const failed =
      matches && failOn !== undefined && this.#matching >= failOn && this.#matching < failOn + times;
    this.calls.push({ operation, paths, failed });
    if (!failed) return undefined;
    const message = `${errno}: injected fault, ${operation} ${paths.map((path) => `'${path}'`).join(' -> ')}`;
    return Object.assign(new Error(message), { code: errno, syscall: operation, path: paths[0] });
  }
}

function fits(
  wanted: string | RegExp | undefined,
  value: string,
  equals: (wanted: string) => boolean,
): boolean {
  if (wanted === undefined) return true;
  return typeof wanted === 'string'
    ? equals(wanted)
    : new RegExp(wanted.source, wanted.flags.replace(/[gy]/g, '')).test(value);
}

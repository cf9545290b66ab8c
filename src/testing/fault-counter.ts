/** Which call of a file system fails, and how. */
export interface FaultPlan {
  /** The n-th matching call fails, counted from 1. When absent, no call fails and matching calls are only counted. */
  readonly failOn?: number;
  /**
   * How many calls in a row fail. Default 1. With `Infinity` nothing works from there on, not even the clean-up,
   * as if the process had been killed right before that call.
   */
  readonly times?: number;
  /** Code of the error. Default `EIO`. */
  readonly errno?: string;
  /**
   * Which operations match, for example `rename`, `handle.sync` or `writeStream.write`; all by default. Functions
   * of `fs.promises` have their own names, functions of an open file are named `handle.*`, and functions of
   * streams are named `readStream.read`, `writeStream.write` and `writeStream.final`.
   */
  readonly operation?: string | RegExp;
  /**
   * Which paths match: a part of the path, or a pattern; all by default. When a call has two paths, one match is
   * enough.
   */
  readonly path?: string | RegExp;
}

/** One call that a faulty file system has seen. */
export interface FileSystemCall {
  readonly operation: string;
  readonly paths: readonly string[];
  /** Whether the fault plan made it fail. */
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

  /** Resets the counts and uses another plan. */
  arm(plan: FaultPlan): void {
    this.#plan = plan;
    this.#matching = 0;
    this.calls.length = 0;
  }

  /** Records a call, and returns the error with which it must fail, if any. */
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

import type { MessagePort } from 'node:worker_threads';
import { type Clock, systemClock } from './clock.js';
import type { FileSystem } from './file-system.js';

/**
 * A piece of heavy work (hashing, zipping, unzipping, deep checks) that can run in a worker thread.
 * Input and output can be cloned (structured clone); the function uses nothing but the given file system and clock.
 */
export interface Task<Input, Output> {
  /** Unique among all tasks. */
  readonly name: string;
  readonly run: (input: Input, context: TaskContext) => Promise<Output>;
}

export interface TaskContext {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/** Runs tasks: in a worker thread, or in this one when the file system is not the real one. */
export interface TaskRunner {
  run<Input, Output>(
    task: Task<Input, Output>,
    input: Input,
    /** `transfer`: ports in `input`, which can't be cloned and go to the thread. */
    options?: { signal?: AbortSignal; transfer?: readonly MessagePort[] },
  ): Promise<Output>;
  /** Starts the thread, if any, so that the first task need not wait for it. Never throws. */
  warmUp?(): void;
  /** How long the thread, if any, has not answered while it has work, ms. */
  silentMs?(): number;
  /** Ends the thread, if any. Idempotent. */
  close(): Promise<void>;
}

/** Creates a task and infers its types. */
export function defineTask<Input, Output>(
  name: string,
  run: (input: Input, context: TaskContext) => Promise<Output>,
): Task<Input, Output> {
  return { name, run };
}

/** Runs tasks in the calling thread. */
export function inlineTaskRunner(fs: FileSystem, clock: Clock = systemClock): TaskRunner {
  return {
    run: (task, input, { signal } = {}) => task.run(input, { fs, clock, ...(signal && { signal }) }),
    close: async () => undefined,
  };
}

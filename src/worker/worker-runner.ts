import { setMaxListeners } from 'node:events';
import type { MessagePort } from 'node:worker_threads';
import { type Clock, systemClock } from '../clock.js';
import { type GatedFolders, plainFileSystem } from '../disk-gate/gated-file-system.js';
import { ClosedError } from '../errors.js';
import { type FileSystem, systemFileSystem } from '../file-system.js';
import { type Logger, silentLogger } from '../logger.js';
import { inlineTaskRunner, type Task, type TaskRunner } from '../task.js';
import { locateWorker } from './locate-worker.js';
import { SharedWorker, UNAVAILABLE } from './shared-worker.js';

export interface TaskRunnerOptions {
  readonly fs: FileSystem;
  readonly logger?: Logger;
  /** The worker's file; by default it is found by `locate`. */
  readonly workerUrl?: URL;
  /** Finds the worker file that was built with the library. */
  readonly locate?: () => URL | undefined;
  readonly clock?: Clock;
  /** Folders that may hang: the tasks of the thread look at them through gates of its own. */
  readonly gatedFolders?: GatedFolders;
}

/** One thread per worker file serves all sessions of the process. */
const shared = new Map<string, { readonly worker: SharedWorker; users: number }>();

const told = new WeakSet<Logger>();

/**
 * Runs tasks in the library's worker thread, which starts with the first task, or earlier by `warmUp()`, and ends when
 * its last user closes.
 * The thread never keeps the process alive by itself; a pending task does.
 *
 * Tasks run in the calling thread when `fs` is not the real file system, because a worker can't use another one.
 * They also do so when there is no worker file (an app bundled without it) or its thread does not start; this is
 * logged.
 *
 * @example
 * const runner = createTaskRunner({ fs: systemFileSystem });
 * const hashes = await runner.run(hashFilesTask, { paths });
 * await runner.close();
 */
export function createTaskRunner(options: TaskRunnerOptions): TaskRunner {
  const logger = options.logger ?? silentLogger;
  const clock = options.clock ?? systemClock;
  const inline = inlineTaskRunner(options.fs, clock);
  if (plainFileSystem(options.fs) !== systemFileSystem) return inline;
  const url = options.workerUrl ?? (options.locate ?? locateWorker)();
  if (url === undefined) {
    tellOfMissingWorker(logger);
    return inline;
  }
  return new WorkerRunner(url, logger, clock, inline, options.gatedFolders);
}

class WorkerRunner implements TaskRunner {
  readonly #url: URL;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #inline: TaskRunner;
  readonly #gatedFolders: GatedFolders | undefined;
  readonly #closing = new AbortController();
  #worker: SharedWorker | undefined;

  constructor(
    url: URL,
    logger: Logger,
    clock: Clock,
    inline: TaskRunner,
    gatedFolders: GatedFolders | undefined,
  ) {
    this.#url = url;
    this.#logger = logger;
    this.#clock = clock;
    this.#inline = inline;
    this.#gatedFolders = gatedFolders;
    setMaxListeners(0, this.#closing.signal); // each task that waits listens to it
  }

  async run<Input, Output>(
    task: Task<Input, Output>,
    input: Input,
    options: { signal?: AbortSignal; transfer?: readonly MessagePort[] } = {},
  ): Promise<Output> {
    options.signal?.throwIfAborted();
    if (this.#closing.signal.aborted) throw closed();
    const answer = await this.#attach().run<Output>(task.name, input, {
      signal: options.signal,
      transfer: options.transfer,
      closing: this.#closing.signal,
      gatedFolders: this.#gatedFolders,
    });
    return answer === UNAVAILABLE ? this.#inline.run(task, input, options) : answer.output;
  }

  warmUp(): void {
    if (!this.#closing.signal.aborted) this.#attach().warmUp();
  }

  silentMs(): number {
    return this.#closing.signal.aborted ? 0 : (this.#worker?.silentMs ?? 0);
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(closed());
    const entry = shared.get(this.#url.href);
    if (this.#worker === undefined || entry?.worker !== this.#worker) return;
    entry.users -= 1;
    if (entry.users > 0) return;
    shared.delete(this.#url.href);
    await entry.worker.end();
  }

  #attach(): SharedWorker {
    if (this.#worker !== undefined) return this.#worker;
    const entry = shared.get(this.#url.href) ?? {
      worker: new SharedWorker(this.#url, this.#logger, this.#clock),
      users: 0,
    };
    entry.users += 1;
    shared.set(this.#url.href, entry);
    this.#worker = entry.worker;
    return entry.worker;
  }
}

/** Warns only once per logger: when a session is started again, there is nothing new to say. */
function tellOfMissingWorker(logger: Logger): void {
  if (told.has(logger)) return;
  told.add(logger);
  logger.warn(
    "the library's worker file was not found: heavy work is done in the bot's own thread. To have it done in " +
      'another one, copy dist/worker.cjs of the package beside the bundle (docs/bundling.md)',
  );
}

function closed(): ClosedError {
  return new ClosedError('the task runner was closed');
}

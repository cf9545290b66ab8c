import { type MessagePort, Worker } from 'node:worker_threads';
import { type Clock, resultWithin, type TimerHandle } from '../clock.js';
import type { GatedFolders } from '../disk-gate/gated-file-system.js';
import { ClosedError, describeError } from '../errors.js';
import type { Logger } from '../logger.js';
import { packError, unpackError } from '../portable-error.js';
import { threadRests, threadStopped } from '../thread-fault.js';
import { LIBRARY_VERSION } from '../version.js';
import type { FromWorker, ToWorker } from './protocol.js';
import { STILL_AFTER_MS, ThreadWatch } from './thread-watch.js';

/** The thread can't be used, or does not know the task: nothing was started, so the task must run elsewhere. */
export const UNAVAILABLE = Symbol('unavailable');

type Answer<Output> = { readonly output: Output } | typeof UNAVAILABLE;

interface PendingTask {
  readonly message: ToWorker;
  readonly transfer: readonly MessagePort[] | undefined;
  readonly resolve: (answer: Answer<unknown>) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
}

/** After this many crashes in a row the thread is not started for a while: a session's files may kill it every time. */
const MAX_CRASHES = 5;
/** How long a thread that failed to start, or keeps crashing, is not started again, ms. */
const REST_MS = 300_000;
/** How long it rests the first time that it crashed too often, ms: memory may be short for a minute. Each rest is longer. */
const FIRST_REST_MS = 20_000;
/** How long a thread may take until its first answer; on an idle machine it takes 50 ms. */
const START_DEADLINE_S = 60;
/**
 * Buffers that are read and written pile up as garbage until the thread's young generation is full: with node's own size
 * a backup takes some 35 MB for them, with this one some 10.
 */
const YOUNG_MB = 2;
/** How long to wait for a thread to end, ms; after that it ends in the background. */
const END_MS = 500;

/**
 * One worker thread and the tasks that wait for it. When the thread crashes, its tasks are rejected (retryable)
 * and the next task starts it again. When a thread does not start, tasks run elsewhere, and it is tried again after a
 * rest, since the machine may just have been short of memory. One with another version's file is not tried again.
 */
export class SharedWorker {
  readonly #url: URL;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #pending = new Map<number, PendingTask>();
  readonly #watch: ThreadWatch;
  #thread: Worker | undefined;
  #nextId = 1;
  /** Whether the current thread has answered. */
  #ready = false;
  #startDeadline: TimerHandle | undefined;
  #isOfOtherVersion = false;
  /** Whether the last thread did not start. Until another one has answered, no task waits for it. */
  #hasFailedToStart = false;
  #isTold = false;
  #crashes = 0;
  #lastCrash: unknown;
  /** When a thread may be started again after it failed, ms of the monotonic clock. */
  #restsUntil = 0;

  constructor(url: URL, logger: Logger, clock: Clock) {
    this.#url = url;
    this.#logger = logger;
    this.#clock = clock;
    this.#watch = new ThreadWatch(clock, {
      ask: () => this.#thread?.postMessage({ type: 'ping' } satisfies ToWorker),
      tell: (silentMs) => logger.warn('the worker thread does not answer', { silentMs }),
      isStill: () => this.#standsStill(),
    });
  }

  /** Aborting `signal` ends the task in the thread; `closing` stops waiting for it at once. */
  async run<Output>(
    task: string,
    input: unknown,
    {
      signal,
      transfer,
      closing,
      gatedFolders,
    }: {
      readonly signal: AbortSignal | undefined;
      readonly transfer?: readonly MessagePort[] | undefined;
      readonly closing: AbortSignal;
      readonly gatedFolders?: GatedFolders | undefined;
    },
  ): Promise<Answer<Output>> {
    this.#refuseWhileResting();
    if (this.#hasFailedToStart) this.warmUp();
    if (!this.#isUsable) return UNAVAILABLE;
    const thread = this.#thread ?? this.#start();
    if (thread === undefined) return UNAVAILABLE;
    const id = this.#nextId++;
    const abort = (reason: unknown) => this.#post({ type: 'abort', id, reason: packError(reason) });
    const onAbort = () => abort(signal?.reason);
    const onClosing = () => {
      abort(closing.reason);
      this.#settle(id)?.reject(closing.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    closing.addEventListener('abort', onClosing, { once: true });
    try {
      const answer = await new Promise<Answer<unknown>>((resolve, reject) => {
        const message = { type: 'run', id, task, input, ...(gatedFolders && { gatedFolders }) } as const;
        this.#pending.set(id, { message, transfer, resolve, reject, signal });
        // A pending task keeps the process alive, until `#settle` ends that.
        thread.ref();
        if (!this.#ready) return;
        thread.postMessage(message, transfer);
        this.#watch.begin();
      });
      // The name guarantees the types: both sides import the same task definition.
      return answer as Answer<Output>;
    } finally {
      this.#settle(id);
      signal?.removeEventListener('abort', onAbort);
      closing.removeEventListener('abort', onClosing);
    }
  }

  /** How long the thread has not answered while it has work, ms. */
  get silentMs(): number {
    return this.#watch.silentMs;
  }

  /** Starts the thread ahead of its first task. It does not keep the process alive. */
  warmUp(): void {
    if (this.#isOfOtherVersion || this.#isResting || this.#thread !== undefined) return;
    this.#start()?.unref();
  }

  async end(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    this.#watch.end();
    this.#clock.clearTimeout(this.#startDeadline);
    this.#rejectAll(new ClosedError('the task runner was closed'));
    if (thread === undefined) return;
    // Node ends a thread only when the calls of its files are over, which in a folder that hangs is never.
    thread.unref();
    await resultWithin(this.#clock, END_MS, thread.terminate());
  }

  get #isUsable(): boolean {
    return !this.#isOfOtherVersion && (!this.#hasFailedToStart || this.#ready);
  }

  get #isResting(): boolean {
    const isTroubled = this.#hasFailedToStart || this.#crashes >= MAX_CRASHES;
    return isTroubled && this.#clock.monotonic() < this.#restsUntil;
  }

  #start(): Worker | undefined {
    try {
      // The bot's own node flags, such as `--inspect` or loaders, are not for this thread.
      const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MB };
      const options = { execArgv: [], name: 'wwebjs-persistent-session', resourceLimits };
      // Not `new Worker(...)`: bundlers look for that expression and try to include its file. Turbopack stops the build
      // here, because the path of this file is known only at run time.
      const thread: Worker = Reflect.construct(Worker, [this.#url, options]);
      this.#thread = thread;
      this.#ready = false;
      thread.on('message', (message: FromWorker) => this.#receive(thread, message));
      thread.on('error', (error) => this.#crashed(thread, error));
      thread.on('messageerror', (error) => this.#crashed(thread, error));
      thread.on('exit', (code) => this.#crashed(thread, new Error(`exit code ${code}`)));
      const late = () => this.#crashed(thread, new Error(`no answer within ${START_DEADLINE_S} s`));
      this.#startDeadline = this.#clock.setTimeout(late, START_DEADLINE_S * 1000);
      return thread;
    } catch (error) {
      this.#giveUp(error);
      return undefined;
    }
  }

  #receive(thread: Worker, message: FromWorker): void {
    if (thread !== this.#thread) return;
    if (message.type === 'ready') {
      this.#clock.clearTimeout(this.#startDeadline);
      this.#isOfOtherVersion = message.version !== LIBRARY_VERSION;
      if (this.#isOfOtherVersion) this.#giveUp(new Error(`the worker file is of version ${message.version}`));
      else this.#sendWaiting(thread);
      return;
    }
    this.#watch.noteAnswer();
    if (message.type === 'pong') return;
    const task = this.#settle(message.id);
    if (task === undefined) return;
    if (message.type === 'unknown') return task.resolve(UNAVAILABLE);
    this.#crashes = 0;
    if (message.type === 'done') return task.resolve({ output: message.output });
    // The caller's own reason is better than a copy of it from the worker.
    task.reject(task.signal?.aborted ? task.signal.reason : unpackError(message.error));
  }

  /** Tasks are sent only once the thread is known to be the right one: work of a wrong thread could not be undone. */
  #sendWaiting(thread: Worker): void {
    this.#ready = true;
    this.#hasFailedToStart = false;
    if (this.#pending.size > 0) this.#watch.begin();
    for (const [id, { message, transfer, signal, reject }] of this.#pending) {
      try {
        if (signal?.aborted) throw signal.reason;
        thread.postMessage(message, transfer);
      } catch (error) {
        this.#settle(id);
        reject(error);
      }
    }
  }

  /** A thread that stands still is ended like one that has crashed: its tasks would be waited for without end. */
  #standsStill(): void {
    if (this.#thread === undefined) return;
    this.#crashed(
      this.#thread,
      new Error(`it has not answered for ${STILL_AFTER_MS / 1000} s, and was ended`),
    );
  }

  #crashed(thread: Worker, cause: unknown): void {
    if (thread !== this.#thread) return;
    if (!this.#ready) return this.#giveUp(cause);
    this.#drop();
    this.#crashes += 1;
    this.#lastCrash = cause;
    const rests = this.#crashes - MAX_CRASHES;
    if (rests >= 0) {
      this.#restsUntil = this.#clock.monotonic() + Math.min(REST_MS, FIRST_REST_MS * 2 ** rests);
    }
    const reason = describeError(cause).message;
    this.#logger.error('the worker thread stopped', { crashesInARow: this.#crashes, reason });
    this.#rejectAll(threadStopped(cause));
  }

  /** No thread can run here now: all waiting and all later tasks run elsewhere. */
  #giveUp(cause: unknown): void {
    const isTold = this.#isTold;
    this.#isTold = true;
    this.#hasFailedToStart = true;
    this.#restsUntil = this.#clock.monotonic() + REST_MS;
    this.#drop();
    this.#logger[isTold ? 'debug' : 'warn'](
      "the worker thread did not start: heavy work is done in the bot's own thread. " +
        "If the bot is bundled, copy the installed package's dist/worker.cjs beside the bundle (docs/bundling.md)",
      { reason: describeError(cause).message, file: this.#url.href },
    );
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.resolve(UNAVAILABLE);
  }

  #refuseWhileResting(): void {
    if (this.#crashes < MAX_CRASHES || !this.#isResting) return;
    throw threadRests(this.#crashes, this.#restsUntil - this.#clock.monotonic(), this.#lastCrash);
  }

  #drop(): void {
    const thread = this.#thread;
    this.#thread = undefined;
    this.#ready = false;
    this.#watch.end();
    this.#clock.clearTimeout(this.#startDeadline);
    thread?.unref(); // node can't end a thread in a call that does not return, which must not keep the process alive
    thread?.terminate().catch(() => undefined);
  }

  #rejectAll(error: unknown): void {
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(error);
  }

  #post(message: Extract<ToWorker, { readonly type: 'abort' }>): void {
    if (this.#ready && this.#pending.has(message.id)) this.#thread?.postMessage(message);
  }

  /** Removes a task from the list; without pending tasks the thread no longer keeps the process alive. */
  #settle(id: number): PendingTask | undefined {
    const task = this.#pending.get(id);
    this.#pending.delete(id);
    if (this.#pending.size === 0) {
      this.#thread?.unref();
      this.#watch.end();
    }
    return task;
  }
}

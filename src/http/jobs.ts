import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { ActionName, ActionResults, ErrorBody, Job } from './contract.js';
import { tooMany } from './errors.js';

/** How many ended jobs are kept. */
const MAX_ENDED = 100;
/** How many jobs may run at once; more are refused. */
const MAX_RUNNING = 16;
const RETRY_AFTER_MS = 5000;

/** How a job ended, for the caller who waits for it. */
export type Outcome =
  | { readonly result: ActionResults[ActionName] }
  /** The error as it was thrown. */
  | { readonly error: unknown };

export interface StartedJob {
  readonly job: Job;
  /** Never rejects. */
  readonly ended: Promise<Outcome>;
}

export interface JobsParts {
  readonly clock: Clock;
  /** Makes the part of an error that may be told. */
  readonly describe: (error: unknown) => ErrorBody;
  /** Removes secrets from a result. */
  readonly redact: (result: ActionResults[ActionName]) => ActionResults[ActionName];
  readonly announce: (name: 'job:started' | 'job:completed' | 'job:failed', job: Job) => void;
}

/** The running jobs and the last ones that ended. */
export class Jobs {
  readonly #parts: JobsParts;
  readonly #jobs = new Map<string, Job>();
  /** The running jobs by the key that equal requests share. */
  readonly #running = new Map<string, StartedJob>();

  constructor(parts: JobsParts) {
    this.#parts = parts;
  }

  /**
   * Starts `work`, or joins an equal request that is already running.
   *
   * @param key equal for requests that share one job
   * @throws HttpError 429
   */
  start(action: ActionName, key: string, work: () => Promise<ActionResults[ActionName]>): StartedJob {
    const running = this.#running.get(key);
    if (running) return running;
    if (this.#running.size >= MAX_RUNNING) {
      throw tooMany('TOO_MANY_JOBS', `${MAX_RUNNING} actions are running`, RETRY_AFTER_MS);
    }
    const job: Job = { id: randomUUID(), action, status: 'running', startedAt: this.#now() };
    this.#keep(job);
    this.#parts.announce('job:started', job);
    const started: StartedJob = { job, ended: this.#follow(job, key, work) };
    this.#running.set(key, started);
    return started;
  }

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** Newest first. */
  list(limit: number): readonly Job[] {
    return [...this.#jobs.values()].reverse().slice(0, limit);
  }

  async #follow(job: Job, key: string, work: () => Promise<ActionResults[ActionName]>): Promise<Outcome> {
    const { announce, describe, redact } = this.#parts;
    let outcome: Outcome;
    let ended: Job;
    try {
      await Promise.resolve(); // work that throws at once ends like work that rejects: after the job is registered
      const result = redact(await work());
      outcome = { result };
      ended = { ...job, status: 'completed', finishedAt: this.#now(), result };
    } catch (error) {
      outcome = { error };
      ended = { ...job, status: 'failed', finishedAt: this.#now(), error: describe(error) };
    }
    this.#running.delete(key);
    this.#keep(ended);
    announce(ended.status === 'completed' ? 'job:completed' : 'job:failed', ended);
    return outcome;
  }

  #keep(job: Job): void {
    this.#jobs.set(job.id, job);
    for (const { id, status } of this.#jobs.values()) {
      if (this.#jobs.size <= MAX_ENDED + MAX_RUNNING) break;
      if (status !== 'running') this.#jobs.delete(id);
    }
  }

  #now(): string {
    return new Date(this.#parts.clock.now()).toISOString();
  }
}

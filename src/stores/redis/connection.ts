import { abortReason, type Clock, orAborted } from '../../clock.js';
import { describeError } from '../../errors.js';
import { throwIfAborted } from '../body.js';
import { isLostConnection, isOfReplica } from './faults.js';
import type { Script } from './scripts.js';

export type Argument = string | Buffer;

/** One client, whatever package it is of. Texts in its answers are buffers. */
export interface Link {
  /** The signal may take a command back that was not sent yet; nobody waits for its answer any more. */
  send(command: readonly Argument[], signal?: AbortSignal): Promise<unknown>;
  /** Whether the next command may be sent over it. */
  isUsable(): boolean;
  /** The connection is the store's own, and is silent although it was asked: breaks it. */
  giveUp?(): void;
  /** The connection is the store's own, and leads to a server that takes no writes: the next command makes a new one. */
  leave?(): void;
  end(): Promise<void>;
  /** Whether something is waited for; an own connection keeps the process alive only then. */
  setBusy(isBusy: boolean): void;
}

/** A call that was given up after the server had told nothing for so long takes the connection with it, ms. */
const SILENT_MS = 1_000;

/** Sends commands over a client; every wait ends by the signal of its call, because node-redis' own deadlines don't fire. */
export class Connection {
  readonly #clock: Clock;
  readonly #open: () => Promise<Link>;
  #link: Promise<Link> | undefined;
  readonly #waiting = new WeakMap<Link, number>();
  #lastAnswer = Number.NEGATIVE_INFINITY;
  #onOpen: (() => void) | undefined;

  /** @param open finds the client, or makes one; called at the first command, and when a connection was lost */
  constructor(clock: Clock, open: () => Promise<Link>) {
    this.#clock = clock;
    this.#open = open;
  }

  /** Calls the listener once, after the first connection was made. */
  onFirstOpen(listener: () => void): void {
    this.#onOpen = listener;
  }

  async send(command: readonly Argument[], signal?: AbortSignal): Promise<unknown> {
    throwIfAborted(signal);
    const link = await until(this.#ready(), signal);
    const sentAt = this.#clock.monotonic();
    this.#count(link, 1);
    const answer = link.send(command, signal).finally(() => this.#count(link, -1));
    answer.then(this.#heard, (error) => isReply(error) && this.#heard());
    try {
      return await until(answer, signal);
    } catch (error) {
      const now = this.#clock.monotonic();
      const isSilent = now - Math.max(sentAt, this.#lastAnswer) >= SILENT_MS;
      if (signal?.aborted && isSilent && this.#lastAnswer < now) link.giveUp?.();
      // After a failover the name of the server leads to another one, and the old connection still to the former primary.
      if (isOfReplica(error)) link.leave?.();
      throw error;
    }
  }

  async run(script: Script, base: string, args: readonly Argument[], signal?: AbortSignal): Promise<unknown> {
    try {
      return await this.send(['EVALSHA', script.sha1, '1', base, ...args], signal);
    } catch (error) {
      throwIfAborted(signal);
      if (!/^NOSCRIPT/.test(describeError(error).message)) throw error;
      return this.send(['EVAL', script.text, '1', base, ...args], signal);
    }
  }

  /** A script that changes nothing may run twice: an idle connection may have been closed by anything on the way. */
  async read(
    script: Script,
    base: string,
    args: readonly Argument[],
    signal?: AbortSignal,
  ): Promise<unknown> {
    try {
      return await this.run(script, base, args, signal);
    } catch (error) {
      throwIfAborted(signal);
      if (!isLostConnection(error)) throw error;
      return this.run(script, base, args, signal);
    }
  }

  /** Lets go of the client; the next command opens it anew. */
  async close(): Promise<void> {
    const opening = this.#link;
    this.#link = undefined;
    const link = await opening?.catch(() => undefined);
    await link?.end();
  }

  /** Keeps the link busy for as long as something is waited for. */
  #count(link: Link, change: 1 | -1): void {
    const before = this.#waiting.get(link) ?? 0;
    this.#waiting.set(link, before + change);
    if (before === 0 || before + change === 0) link.setBusy(change === 1);
  }

  readonly #heard = (): void => {
    this.#lastAnswer = this.#clock.monotonic();
  };

  async #ready(): Promise<Link> {
    for (let opening = this.#link; opening !== undefined; opening = undefined) {
      const link = await opening;
      if (link.isUsable()) return link;
      if (this.#link === opening) this.#link = undefined;
      if (this.#link !== undefined) return this.#link;
    }
    const opening = this.#open();
    this.#link = opening;
    opening.then(
      () => {
        this.#onOpen?.();
        this.#onOpen = undefined;
      },
      () => {
        if (this.#link === opening) this.#link = undefined;
      },
    );
    return opening;
  }
}

/** An answer of the server, although one that is an error. */
function isReply(error: unknown): boolean {
  return error instanceof Error && /^[A-Z]+ /.test(error.message);
}

function until<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  if (!signal.aborted) return orAborted(work, signal);
  work.catch(() => undefined);
  return Promise.reject(abortReason(signal));
}

import { shortError } from '../../client/start-error.js';
import type { Clock } from '../../clock.js';
import { refusalOf } from '../../copy-refusal.js';
import type { CopySkipped, EventError, SessionEventName, SessionEventPayloads } from '../../events.js';
import type { SnapshotKind } from '../../types.js';

/** Why and when a copy was not taken. */
export type CopyRefusal = EventError & {
  /** ISO 8601. */
  readonly at: string;
};

/** A {@link CopyRefusal} with the data needed to word it in another language. */
export interface ToldRefusal extends EventError {
  /** Why the copy was skipped; absent when it failed. */
  readonly skipped?: CopySkipped;
  /** The stores in which it failed; it may have come into others. Absent where it came to none. */
  readonly stores?: readonly string[];
}

/** Remembers why the last save and the last backup were not taken, until a copy is taken or nothing has changed. */
export class CopyRefusals {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #last = new Map<SnapshotKind, ToldRefusal & CopyRefusal>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  of(kind: SnapshotKind): CopyRefusal | undefined {
    const last = this.#last.get(kind);
    return last && { code: last.code, message: last.message, at: last.at };
  }

  /** The last refusal, with the data needed to word it in another language. */
  told(kind: SnapshotKind): ToldRefusal | undefined {
    return this.#last.get(kind);
  }

  /** Call with every event of the session. */
  note<Name extends SessionEventName>(name: Name, payload: SessionEventPayloads[Name]): void {
    if (name === 'session:cleared') this.#last.clear();
    for (const kind of ['save', 'backup'] as const) {
      if (name === `${kind}:completed`) this.#last.delete(kind);
      if (name === `${kind}:skipped`)
        this.#noteSkipped(kind, payload as SessionEventPayloads['save:skipped']);
      if (name === `${kind}:failed`) this.#noteFailed(kind, payload as SessionEventPayloads['save:failed']);
    }
  }

  #noteSkipped(kind: SnapshotKind, skipped: CopySkipped): void {
    const refusal = refusalOf(skipped);
    if (refusal !== undefined) this.#remember(kind, { ...shortError(refusal), skipped });
    else if (skipped.reason === 'unchanged') this.#last.delete(kind);
  }

  /** A save that was interrupted by a stop is no failure. */
  #noteFailed(kind: SnapshotKind, { error, stores }: SessionEventPayloads['save:failed']): void {
    if (error.code !== 'CLOSED') this.#remember(kind, { ...shortError(error), ...(stores && { stores }) });
  }

  #remember(kind: SnapshotKind, error: ToldRefusal): void {
    this.#last.set(kind, Object.freeze({ ...error, at: new Date(this.#clock.now()).toISOString() }));
  }
}

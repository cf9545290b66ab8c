import { shortError } from '../../client/start-error.js';
import type { Clock } from '../../clock.js';
import { refusalOf } from '../../copy-refusal.js';
import type { CopySkipped, EventError, SessionEventName, SessionEventPayloads } from '../../events.js';
import type { SnapshotKind } from '../../types.js';

/** Why a copy was not taken, and when that was. */
export type CopyRefusal = EventError & {
  /** ISO 8601. */
  readonly at: string;
};

/** The same with what the words of another language are made of. */
export interface ToldRefusal extends EventError {
  /** What was skipped, and why; absent where it failed. */
  readonly skipped?: CopySkipped;
}

/** Remembers why the last save, and the last backup, came to nothing; a copy that is taken or up to date ends it. */
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

  /** The same, for words of another language. */
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

  /** A save that a stop came between is no failure. */
  #noteFailed(kind: SnapshotKind, { error }: SessionEventPayloads['save:failed']): void {
    if (error.code !== 'CLOSED') this.#remember(kind, shortError(error));
  }

  #remember(kind: SnapshotKind, error: ToldRefusal): void {
    this.#last.set(kind, Object.freeze({ ...error, at: new Date(this.#clock.now()).toISOString() }));
  }
}

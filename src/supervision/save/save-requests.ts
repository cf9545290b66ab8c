import type { SaveResult } from '../../results.js';
import { isBelievable } from '../../snapshot/capture-time.js';
import type { OperationQueue } from '../context/operation-queue.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';
import type { LineageKeeper } from '../login/lineage-keeper.js';
import type { Saver } from './saver.js';

export interface SaveRequestsParts {
  readonly lineageKeeper: LineageKeeper;
  readonly operations: OperationQueue;
  readonly saver: Saver;
  readonly snapshots: SessionSnapshots;
}

/**
 * Saves and backups of the running session, requested by a timer or a person. Concurrent requests of one kind share
 * one copy.
 */
export class SaveRequests {
  readonly #context: SessionContext;
  readonly #parts: SaveRequestsParts;
  readonly #running = new Map<'save' | 'backup', Promise<SaveResult>>();

  constructor(context: SessionContext, parts: SaveRequestsParts) {
    this.#context = context;
    this.#parts = parts;
  }

  forceSave(): Promise<SaveResult> {
    return this.#take('save');
  }

  backup(): Promise<SaveResult> {
    return this.#take('backup');
  }

  /** Whether a save is being taken. */
  get isSaving(): boolean {
    return this.#running.has('save');
  }

  /** Whether the current lineage has no backup, or its last one is older than the interval or from another place. */
  async isBackupDue(): Promise<boolean> {
    const { record, clock, options, profile } = this.#context;
    const { lineage } = record.current;
    const located = await this.#parts.snapshots.list();
    const last = located.find(({ info }) => info.kind === 'backup' && info.lineage === lineage)?.info;
    const now = clock.now();
    if (last === undefined || !isBelievable(last, now)) return true;
    // The bot was moved. Without a new backup, a new bot at the old place would get its login.
    if (last.profile !== undefined && last.profile.path !== profile.path) return true;
    return now - Date.parse(last.createdAt) >= options.backupIntervalMs;
  }

  #take(kind: 'save' | 'backup'): Promise<SaveResult> {
    const running = this.#running.get(kind);
    if (running) return running;
    const { operations, saver, lineageKeeper } = this.#parts;
    let signal: AbortSignal | undefined; // the signal at the time of its turn
    const inTurn = <Result>(work: () => Promise<Result>) =>
      operations.exclusive(async () => {
        await lineageKeeper.counted();
        signal ??= operations.signal;
        return work();
      });
    const request = {
      kind,
      capture: 'hot',
      get signal() {
        return signal ?? operations.signal;
      },
    } as const;
    const taking = operations
      .beside(() => saver.take(request, inTurn))
      .finally(() => this.#running.delete(kind));
    this.#running.set(kind, taking);
    return taking;
  }
}

import type { SessionEventName, SessionEventPayloads } from '../events.js';
import type { SessionState } from '../state.js';
import type { SessionStatus } from '../status.js';
import type { SnapshotInfo } from '../types.js';
import type { SessionContext } from './context/session-context.js';
import type { StartRetries } from './reconnect/start-retries.js';

/** Remembers what the events said, so that `status()` costs nothing. */
export class StatusReporter {
  readonly #context: SessionContext;
  readonly #startAsAsked: StartRetries;
  #lastSave: SnapshotInfo | undefined;
  #lastBackup: SnapshotInfo | undefined;
  #lastRestore: SessionStatus['lastRestore'];
  #health: SessionStatus['health'];

  constructor(context: SessionContext, startRetries: StartRetries) {
    this.#context = context;
    this.#startAsAsked = startRetries;
  }

  note<Name extends SessionEventName>(name: Name, payload: SessionEventPayloads[Name]): void {
    if (name === 'save:completed')
      this.#lastSave = (payload as SessionEventPayloads['save:completed']).snapshot;
    if (name === 'backup:completed') {
      this.#lastBackup = (payload as SessionEventPayloads['backup:completed']).snapshot;
    }
    if (name === 'restore:completed') {
      const { snapshot } = payload as SessionEventPayloads['restore:completed'];
      this.#lastRestore = { snapshot, at: this.#isoNow() };
    }
    if (name === 'health:checked') {
      const { score, status, checkedAt } = (payload as SessionEventPayloads['health:checked']).report;
      this.#health = { score, status, checkedAt };
    }
    if (name === 'session:cleared') {
      this.#lastSave = undefined;
      this.#lastBackup = undefined;
      this.#lastRestore = undefined;
    }
  }

  report(state: SessionState, since: number): SessionStatus {
    const { clientId, record, options, lease, profileDir } = this.#context;
    const { lineage, run } = record.current;
    const { maxReconnectAttempts } = options;
    const held = lease.isHeld();
    return {
      clientId,
      state,
      stateSince: new Date(since).toISOString(),
      ...(lineage !== undefined && { lineage }),
      run,
      ...(this.#lastSave && { lastSave: this.#lastSave }),
      ...(this.#lastBackup && { lastBackup: this.#lastBackup }),
      ...(this.#lastRestore && { lastRestore: this.#lastRestore }),
      ...(this.#health && { health: this.#health }),
      ...(this.#startAsAsked.lastError && { lastError: this.#startAsAsked.lastError }),
      reconnect: {
        attempt: this.#startAsAsked.attempt,
        maxAttempts: Number.isFinite(maxReconnectAttempts) ? maxReconnectAttempts : null,
      },
      lease: held && lease.generation !== undefined ? { held, generation: lease.generation } : { held },
      paths: { profile: profileDir, session: options.sessionPath, backup: options.backupPath },
    };
  }

  #isoNow(): string {
    return new Date(this.#context.clock.now()).toISOString();
  }
}

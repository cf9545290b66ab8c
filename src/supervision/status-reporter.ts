import type { SessionEventName, SessionEventPayloads } from '../events.js';
import type { StoreLeaseView } from '../lease/store/store-lease-parts.js';
import type { StartWait } from '../start-waits.js';
import type { SessionState } from '../state.js';
import type { SessionStatus, StoreLeaseStatus } from '../status.js';
import type { SnapshotInfo } from '../types.js';
import { fencingNumberOf, type SessionContext } from './context/session-context.js';
import { CopyRefusals } from './health/copy-refusals.js';
import { decisionIn } from './login/rejected-restore.js';
import type { StartRetries } from './reconnect/start-retries.js';

/** Remembers the state from the events, so that `status()` needs no requests. */
export class StatusReporter {
  readonly #context: SessionContext;
  readonly #startRetries: StartRetries;
  readonly #refusals: CopyRefusals;
  #lastSave: SnapshotInfo | undefined;
  #lastBackup: SnapshotInfo | undefined;
  #lastRestore: SessionStatus['lastRestore'];
  #health: SessionStatus['health'];

  constructor(context: SessionContext, { startRetries }: { readonly startRetries: StartRetries }) {
    this.#context = context;
    this.#startRetries = startRetries;
    this.#refusals = new CopyRefusals(context.clock);
  }

  note<Name extends SessionEventName>(name: Name, payload: SessionEventPayloads[Name]): void {
    this.#refusals.note(name, payload);
    if (name === 'save:completed')
      this.#lastSave = (payload as SessionEventPayloads['save:completed']).snapshot;
    if (name === 'backup:completed') {
      this.#lastBackup = (payload as SessionEventPayloads['backup:completed']).snapshot;
    }
    if (name === 'restore:completed') {
      const { snapshot, stateAt } = payload as SessionEventPayloads['restore:completed'];
      this.#lastRestore = { snapshot, at: this.#isoNow(), stateAt };
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
    const { clientId, record, options, lease, profileDir, startWaits, storeOwnership } = this.#context;
    const waiting = startWaits.current;
    const decision = decisionIn(record.current);
    const { lineage, run } = record.current;
    const { maxReconnectAttempts } = options;
    const lastSaveError = this.#refusals.of('save');
    const lastBackupError = this.#refusals.of('backup');
    const held = lease.isHeld();
    const storeLease = storeOwnership?.view;
    return {
      clientId,
      state,
      stateSince: new Date(since).toISOString(),
      ...(lineage !== undefined && { lineage }),
      run,
      ...(this.#lastSave && { lastSave: this.#lastSave }),
      ...(this.#lastBackup && { lastBackup: this.#lastBackup }),
      ...(lastSaveError && { lastSaveError }),
      ...(lastBackupError && { lastBackupError }),
      ...(this.#lastRestore && { lastRestore: this.#lastRestore }),
      ...(this.#health && { health: this.#health }),
      ...(this.#startRetries.lastError && { lastError: this.#startRetries.lastError }),
      ...(waiting && { waiting: waitingView(waiting) }),
      ...(decision && { decision }),
      reconnect: {
        attempt: this.#startRetries.attempt,
        maxAttempts: Number.isFinite(maxReconnectAttempts) ? maxReconnectAttempts : null,
      },
      lease: {
        held,
        ...(held && { generation: fencingNumberOf(this.#context) }),
        ...(storeLease && { store: storeLeaseStatus(storeLease) }),
      },
      paths: { profile: profileDir, session: options.sessionPath, backup: options.backupPath },
    };
  }

  #isoNow(): string {
    return new Date(this.#context.clock.now()).toISOString();
  }
}

function storeLeaseStatus({ storeName, isHeld, grant, provenAgoMs }: StoreLeaseView): StoreLeaseStatus {
  return {
    name: storeName,
    held: isHeld,
    ...(grant && { owner: grant.owner, generation: grant.generation, provenAgoMs: Math.round(provenAgoMs) }),
  };
}

function waitingView({ message, since, maxMs }: StartWait): NonNullable<SessionStatus['waiting']> {
  const until = maxMs === undefined ? {} : { until: new Date(since + maxMs).toISOString() };
  return { message, since: new Date(since).toISOString(), ...until };
}

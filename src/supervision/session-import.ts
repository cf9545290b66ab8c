import type { OldSession } from '../profile/import/old-session.js';
import type { SnapshotInfo } from '../types.js';
import type { Importer } from './importer.js';
import type { OldSessionFinder } from './old-session-finder.js';
import type { OperationQueue } from './operation-queue.js';
import type { SessionContext } from './session-context.js';
import type { SessionOwnership } from './session-ownership.js';
import type { SessionSupervisor } from './session-supervisor.js';

export interface SessionImportParts {
  readonly finder: OldSessionFinder;
  readonly importer: Importer;
  readonly operations: OperationQueue;
  readonly ownership: SessionOwnership;
  readonly supervisor: SessionSupervisor;
}

/** The import that a person asks for: as `restore()`, from a source outside of the stores. */
export class SessionImport {
  readonly #context: SessionContext;
  readonly #parts: SessionImportParts;

  constructor(context: SessionContext, parts: SessionImportParts) {
    this.#context = context;
    this.#parts = parts;
  }

  async run(from: string): Promise<SnapshotInfo> {
    const { supervisor, finder } = this.#parts;
    const { isMeantToRun: wasRunning, stops } = supervisor; // at the call: what comes meanwhile is later
    const session = await finder.find(from);
    if (wasRunning) await this.#assertFit(session); // a bot that is healthy does not stop for a login that is not
    try {
      return await supervisor.whileHalted(() => this.#take(session));
    } finally {
      if (wasRunning && stops === supervisor.stops) await supervisor.initialize();
    }
  }

  #assertFit(session: OldSession): Promise<void> {
    const { ownership, operations, importer } = this.#parts;
    return ownership.during(() => operations.exclusive(() => importer.assertFit(session, NEVER_ABORTED)));
  }

  #take(session: OldSession): Promise<SnapshotInfo> {
    const { ownership, operations, importer } = this.#parts;
    return ownership.during(() =>
      operations.exclusive(async () => {
        await this.#context.record.load();
        await this.#context.browserOwner.settleProfile();
        return (await importer.take(session, NEVER_ABORTED)).info;
      }),
    );
  }
}

const NEVER_ABORTED = new AbortController().signal;

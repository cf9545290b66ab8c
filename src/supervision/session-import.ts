import { InvalidStateError } from '../errors.js';
import type { OldSession } from '../profile/import/old-session.js';
import type { SnapshotInfo } from '../types.js';
import { flagOf } from './context/call-arguments.js';
import type { OperationQueue } from './context/operation-queue.js';
import type { SessionContext } from './context/session-context.js';
import type { SessionSnapshots } from './context/session-snapshots.js';
import type { EarlierImport, TakenBefore } from './import/earlier-import.js';
import type { Importer } from './import/importer.js';
import type { NothingFound, OldSessionFinder } from './import/old-session-finder.js';
import { FormerLogin } from './login/former-login.js';
import type { SessionOwnership } from './ownership/session-ownership.js';
import type { SessionClearing } from './prune/session-clearing.js';
import { replaceProfile } from './replace-profile.js';
import type { Saver } from './save/saver.js';
import type { SessionSupervisor } from './session-supervisor.js';

/** Options of `importSession()`. */
export interface ImportOptions {
  /** Imports a session that was imported before, and also replaces a newer login. Default false. */
  readonly force?: boolean;
}

export interface SessionImportParts {
  readonly clearing: SessionClearing;
  readonly earlierImport: EarlierImport;
  readonly finder: OldSessionFinder;
  readonly importer: Importer;
  readonly operations: OperationQueue;
  readonly ownership: SessionOwnership;
  readonly saver: Saver;
  readonly snapshots: SessionSnapshots;
  readonly supervisor: SessionSupervisor;
}

/** An import that a person requests. It works like `restore()`, with a source outside the stores. */
export class SessionImport {
  readonly #context: SessionContext;
  readonly #parts: SessionImportParts;
  readonly #formerLogin: FormerLogin;

  constructor(context: SessionContext, parts: SessionImportParts) {
    this.#context = context;
    this.#parts = parts;
    this.#formerLogin = new FormerLogin(context, parts);
  }

  async run(from: string, options: ImportOptions = {}): Promise<SnapshotInfo> {
    const isForced = flagOf(options, 'force', 'importSession');
    return replaceProfile(this.#parts, async ({ wasRunning, replace }) => {
      const found = await this.#parts.finder.find(from);
      if ('problem' in found) return this.#answerFor(found, isForced);
      const session = found;
      const earlier = isForced ? undefined : await this.#findEarlier(session);
      if (earlier) return earlier.snapshot ?? (await this.#saveWhatIsHere());
      if (wasRunning) await this.#assertFit(session); // a healthy bot must not stop for an unfit login
      return replace(() => this.#take(session));
    });
  }

  // An imported session may be removed, for example with a container's folder, while the call stays in the bot's
  // code.
  async #answerFor({ problem, places }: NothingFound, isForced: boolean): Promise<SnapshotInfo> {
    if (isForced) throw problem;
    if (!this.#parts.supervisor.isRunning) await this.#context.record.load();
    const earlier = await this.#parts.earlierImport.findGone(places);
    if (earlier === undefined) throw problem;
    return earlier.snapshot ?? (await this.#saveWhatIsHere());
  }

  async #findEarlier(session: OldSession): Promise<TakenBefore | undefined> {
    if (!this.#parts.supervisor.isRunning) await this.#context.record.load();
    return this.#parts.earlierImport.find(session, () => this.#assertFit(session));
  }

  // The stores were lost, but the login was not. So the call saves the login and returns that snapshot.
  async #saveWhatIsHere(): Promise<SnapshotInfo> {
    const { ownership, operations, saver, supervisor } = this.#parts;
    const capture = supervisor.isRunning ? 'hot' : 'cold';
    const result = await ownership.during(() =>
      operations.exclusive(async () => {
        if (capture === 'cold') await this.#context.browserOwner.reclaimProfile();
        return saver.take({ kind: 'save', capture, signal: NEVER_ABORTED });
      }),
    );
    if ('snapshot' in result) return result.snapshot;
    throw new InvalidStateError(
      `this old session was already imported, and no snapshot of it is available (${result.skipped}); call with ` +
        '{ force: true } to import it again, which replaces the current login',
      { operation: 'importSession' },
    );
  }

  #assertFit(session: OldSession): Promise<string> {
    const { ownership, operations, importer } = this.#parts;
    return ownership.during(() => operations.exclusive(() => importer.assertFit(session, NEVER_ABORTED)));
  }

  #take(session: OldSession): Promise<SnapshotInfo> {
    const { ownership, operations, importer } = this.#parts;
    return ownership.during(() =>
      operations.exclusive(async () => {
        await this.#context.record.load();
        await this.#parts.clearing.giveUp();
        await this.#context.browserOwner.reclaimProfile();
        const former = await this.#formerLogin.find();
        const snapshot = await importer.take(session, NEVER_ABORTED);
        await this.#formerLogin.note(former, { snapshot, from: session.path });
        return snapshot.info;
      }),
    );
  }
}

const NEVER_ABORTED = new AbortController().signal;

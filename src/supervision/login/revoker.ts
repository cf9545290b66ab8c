import { describeError } from '../../errors.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import { askStores, failed, StorePatience } from '../context/ask-stores.js';
import { allRepositories, type SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';

/** The record of this machine knows of the logout; a store that takes longer is told at the next start. */
const MARK_PATIENCE_MS = 5_000;

/** Who ended the login. */
export type RevocationCause = 'phone' | 'client' | 'server';

/**
 * A logout is final (docs/invariants.md I7). Its snapshots are marked and never deleted, its profile is put aside, and
 * only a human brings them back, with `restore(id)`.
 */
export class Revoker {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;

  constructor(context: SessionContext, snapshots: SessionSnapshots) {
    this.#context = context;
    this.#snapshots = snapshots;
  }

  /** In the same tick in which it is heard of, before the bot hears it: its listener may end the process. Never throws. */
  noteNow(): void {
    const { record, logoutNote } = this.#context;
    if (record.current.lineage !== undefined) logoutNote.writeNow(record.current.lineage);
  }

  /**
   * Notes on this machine that the login has ended: before the browser is closed, which takes its time. Whoever is killed
   * meanwhile must not restore it at the next start. Never rejects: what can't be noted now fails again in `revoke()`.
   */
  async note(): Promise<void> {
    const { record, logger } = this.#context;
    const { lineage, revokedLineages } = record.current;
    if (lineage === undefined || revokedLineages.includes(lineage)) return;
    try {
      await record.update({ loggedIn: false, revokedLineages: [...revokedLineages, lineage] });
    } catch (error) {
      logger.warn('the logout could not be noted yet', { error: describeError(error) });
    }
  }

  /** The browser must be closed. Never rejects for a store that is down: the record remembers, the next start repeats. */
  async revoke(cause: RevocationCause): Promise<void> {
    const { record, announce, clock } = this.#context;
    const lineage = record.current.lineage ?? (await this.#newestLineage());
    const others = record.current.revokedLineages.filter((revoked) => revoked !== lineage);
    // First what survives a kill on this machine, then the stores, then the profile.
    await record.update({
      loggedIn: false,
      basedOn: undefined,
      lineage: undefined,
      account: undefined,
      run: 0,
      ...(lineage !== undefined && { revokedLineages: [...others, lineage] }),
    });
    await this.#context.logoutNote.remove();
    if (lineage !== undefined) await this.#markSnapshots(lineage, cause, new Date(clock.now()).toISOString());
    announce('session:revoked', { cause });
    await this.#putProfileAside(cause);
  }

  // The record was lost: what was in place is most likely the newest, and `restore(id)` brings back what was not.
  async #newestLineage(): Promise<string | undefined> {
    const located = await this.#snapshots.list().catch(() => []);
    return located[0]?.info.lineage;
  }

  async #markSnapshots(lineage: string, cause: RevocationCause, at: string): Promise<void> {
    const patience = new StorePatience(this.#context.clock, MARK_PATIENCE_MS);
    const mark = (repository: SnapshotRepository) => repository.revoke(lineage, { cause, at });
    const answers = await askStores(allRepositories(this.#context), mark, patience);
    for (const { repository, error } of failed(answers)) {
      this.#context.warn(
        'revocation-incomplete',
        `the snapshots in ${repository.store.name} could not be marked as logged out yet: ` +
          describeError(error).message,
      );
    }
  }

  async #putProfileAside(cause: RevocationCause): Promise<void> {
    const { folders, warn, assertOwned } = this.#context;
    try {
      await assertOwned();
      const wasThere = await folders.quarantine('logged-out');
      // Bots remove the session's folder after client.logout(), and not all of them bear that it is gone.
      if (wasThere && cause === 'client') await folders.leaveEmpty();
    } catch (error) {
      warn(
        'cleanup-failed',
        `the logged-out profile could not be put aside: ${describeError(error).message}`,
      );
    }
  }
}

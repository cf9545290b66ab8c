import { describeError } from '../../errors.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import { answered, askStores, failed, StorePatience } from '../context/ask-stores.js';
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

  /**
   * The browser must be closed. Never rejects for a store that is down: the record remembers, the next start repeats.
   *
   * @returns whether it is known which login that was. Where the record is lost nothing is marked: the profile in place may
   * have been of any login, and the snapshots of another one must not end with it
   */
  async revoke(cause: RevocationCause): Promise<boolean> {
    const { record, announce, clock } = this.#context;
    const { lineage } = record.current;
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
    else await this.#tellOfUnknown();
    announce('session:revoked', { cause });
    await this.#putProfileAside(cause);
    return lineage !== undefined;
  }

  /** At a start: a store that was down at a logout is told now, by what this machine remembers or another store knows. */
  async repeat(patience: StorePatience): Promise<void> {
    const { record, clock, warn } = this.#context;
    const remembered = record.current.revokedLineages;
    const ask = (repository: SnapshotRepository) => repository.revokedLineages();
    const asked = await askStores(allRepositories(this.#context), ask, patience);
    const known = new Map(answered(asked).map(({ repository, value }) => [repository, value]));
    const anywhere = [...known.values()].flatMap((lineages) => [...lineages]);
    const at = new Date(clock.now()).toISOString();
    const mark = async (repository: SnapshotRepository) => {
      const isMissing = (lineage: string) => known.get(repository)?.has(lineage) !== true;
      const missing = new Set(remembered.filter(isMissing));
      if (anywhere.some(isMissing)) {
        for (const { lineage } of await repository.list()) {
          if (isMissing(lineage) && anywhere.includes(lineage)) missing.add(lineage);
        }
      }
      for (const lineage of missing) await repository.revoke(lineage, { cause: 'phone', at });
    };
    const marked = await askStores(known.keys(), mark, patience);
    const silent = remembered.length > 0 ? failed(asked) : [];
    for (const { repository, error } of [...silent, ...failed(marked)]) {
      warn('revocation-incomplete', `${repository.store.name}: ${describeError(error).message}`);
    }
  }

  async #tellOfUnknown(): Promise<void> {
    const patience = new StorePatience(this.#context.clock, MARK_PATIENCE_MS);
    const { ours } = await this.#snapshots.sorted(patience).catch(() => ({ ours: [] }));
    if (ours.length === 0) return;
    this.#context.warn(
      'revocation-incomplete',
      'a login was logged out whose record is missing, so it is not known which snapshots are of it: none is marked, and the ' +
        'newest of this bot is tried before a QR',
    );
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

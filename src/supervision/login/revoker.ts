import { describeError } from '../../errors.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import { answered, askStores, failed, StorePatience } from '../context/ask-stores.js';
import { allRepositories, type SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';
import { holdSuperseded } from './hold-replaced.js';
import type { ProfileProof } from './profile-proof.js';

/** Time limit for each store, ms. A slower one is told at the next start, since this machine's record has the logout. */
const MARK_PATIENCE_MS = 5_000;

/** Who ended the login. */
export type RevocationCause = 'phone' | 'client' | 'server';

/**
 * Handles a logout, which is final (docs/invariants.md I7). The login's snapshots are marked and never deleted, and
 * its profile is put into quarantine. Only a human restores them, with `restore(id)`.
 */
export class Revoker {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;
  readonly #proof: ProfileProof;
  /** The login of a revocation that could not be written; the next call of {@link revoke} completes it. */
  #unwritten: string | undefined;

  constructor(
    context: SessionContext,
    { snapshots, proof }: { readonly snapshots: SessionSnapshots; readonly proof: ProfileProof },
  ) {
    this.#context = context;
    this.#snapshots = snapshots;
    this.#proof = proof;
  }

  /**
   * Call in the tick in which the logout is reported and before the bot hears of it, because its listener may end the
   * process. Never throws.
   */
  noteNow(): void {
    const { record, logoutNote, inPlace } = this.#context;
    if (record.current.lineage !== undefined && inPlace.isOfRecord)
      logoutNote.writeNow(record.current.lineage);
  }

  /**
   * Notes on this machine that the login has ended. Call it before closing the browser, which takes time: if the
   * process is killed meanwhile, the next start must not restore the login. Never rejects; if the note fails now,
   * `revoke()` reports the failure.
   */
  async note(): Promise<void> {
    const { record, logger, inPlace } = this.#context;
    await this.#proof.look();
    const { lineage, revokedLineages } = record.current;
    if (lineage === undefined || !inPlace.isOfRecord || revokedLineages.includes(lineage)) return;
    try {
      await record.update({ loggedIn: false, revokedLineages: [...revokedLineages, lineage] });
    } catch (error) {
      logger.warn('the logout could not be noted yet', { error: describeError(error) });
    }
  }

  /**
   * The browser must be closed. Never rejects because a store is down: the record remembers it, and the next start
   * tries again. Rejects when the record can't be written; call it again then.
   *
   * @returns whether the login is known. When the record is lost, or the profile in place is not known to be the one that the
   * record describes, nothing is marked, because it may have had any login, and the snapshots of another one must stay usable
   */
  async revoke(cause: RevocationCause): Promise<boolean> {
    const { record, announce, clock, inPlace } = this.#context;
    await this.#proof.look();
    const isKnown = inPlace.isOfRecord;
    const lineage = isKnown ? (record.current.lineage ?? this.#unwritten) : undefined;
    this.#unwritten = lineage;
    const others = record.current.revokedLineages.filter((revoked) => revoked !== lineage);
    // Order: the record, which survives a kill, then the stores, then the profile.
    await record.update({
      loggedIn: false,
      basedOn: undefined,
      lineage: undefined,
      account: undefined,
      run: 0,
      // The login that the record names may be sound: it stays the one of this place.
      ...(!isKnown && { placeLogin: record.current.placeLogin }),
      ...(lineage !== undefined && { revokedLineages: [...others, lineage] }),
    });
    this.#unwritten = undefined;
    await this.#context.logoutNote.remove();
    if (lineage !== undefined) {
      await this.#markSnapshots(lineage, cause, new Date(clock.now()).toISOString());
      await this.#snapshots.places.share();
      await holdSuperseded(this.#context, this.#snapshots);
    } else await this.#tellOfUnknown(isKnown);
    announce('session:revoked', { cause });
    await this.#putProfileAside(cause);
    return lineage !== undefined;
  }

  /** Call at a start: marks the logout in stores that were down, by what this machine or another store remembers. */
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

  async #tellOfUnknown(isRecordMissing: boolean): Promise<void> {
    const patience = new StorePatience(this.#context.clock, MARK_PATIENCE_MS);
    const { ours } = await this.#snapshots.sorted(patience).catch(() => ({ ours: [] }));
    if (ours.length === 0) return;
    this.#context.warn(
      'revocation-incomplete',
      `the bot was logged out, but ${
        isRecordMissing
          ? 'the session record is missing'
          : 'the profile is not known to be the one that was last saved'
      }, so no snapshot could be marked as logged out: the newest one is tried before a QR is shown`,
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
      // Bots remove the session's folder after client.logout(), and some fail when it does not exist.
      if (wasThere && cause === 'client') await folders.leaveEmpty();
    } catch (error) {
      warn(
        'cleanup-failed',
        `the logged-out profile could not be put aside: ${describeError(error).message}`,
      );
    }
  }
}

import { dirname } from 'node:path';
import { describeError } from '../../errors.js';
import { exists } from '../../profile/walk.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import { askStores, failed, StorePatience } from '../context/ask-stores.js';
import { allRepositories, type SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';

/** A store that hangs must not keep a process from ending. */
const MARK_PATIENCE_MS = 5_000;

/** What a person is told, whenever a login is not restored for this reason. */
export const HELD_MESSAGE =
  'the profile was removed while the session ran, or after its bot had closed it, so its login is not restored by itself: ' +
  'a new QR scan is needed. restore() brings the login back, restore(id) one of its snapshots';

/**
 * A profile that vanishes under a session that runs, or that is being closed, was removed on purpose: its snapshots are
 * kept, but held, and only a person brings them back. In memory, beside the profile, and in every store that has some:
 * who removes a profile often removes all that lies beside it.
 */
export class RemovedProfile {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;
  readonly #asOwner: (work: () => Promise<void>) => Promise<void>;

  /** @param asOwner runs work with the leases of the session held, unless it is another's by now */
  constructor(
    context: SessionContext,
    snapshots: SessionSnapshots,
    asOwner: (work: () => Promise<void>) => Promise<void>,
  ) {
    this.#context = context;
    this.#snapshots = snapshots;
    this.#asOwner = asOwner;
  }

  /**
   * Looks whether the profile was removed since it was last seen; if so, holds its login and says so. Never rejects: what
   * can't be marked is told.
   */
  async notice(): Promise<boolean> {
    const { folders, record, warn } = this.#context;
    if (!(await folders.presence.isRemoved()) || !(await this.#isOurs())) return false;
    folders.presence.forget();
    const lineage = record.current.lineage ?? (await this.#newestLineage());
    if (lineage === undefined) return true; // there is nothing that could come back
    await this.#hold(lineage).catch((error: unknown) => this.#tellIncomplete(error));
    warn('profile-removed', HELD_MESSAGE);
    return true;
  }

  /**
   * At the end of a session, its browser closed: as {@link notice}, and nothing is left of what was made anew.
   *
   * @param options `hasFailed`: whether its attempts were used up before, so that it holds no lease any more; `byBot`: whether
   * the bot has closed its client; `byItself`: whether the session stops without anybody's call
   */
  async settle({ hasFailed = false, byBot = false, byItself = false } = {}): Promise<void> {
    const { folders, logger } = this.#context;
    try {
      if (await folders.presence.isRemoved()) {
        if (hasFailed) await this.#asOwner(() => this.#tidy());
        else await this.#tidy();
      }
    } catch (error) {
      logger.warn('what was left of a removed profile stays', { error: describeError(error) });
    }
    folders.presence.end({ byBot, byItself });
  }

  /** After the end of a session, as its owner: holds what the bot has removed since. What was not is looked at again. */
  async noticeLeft(): Promise<void> {
    const { presence } = this.#context.folders;
    presence.begin();
    if (!(await this.notice())) presence.end({ byBot: true });
  }

  /** Whether anything is there that a removal could be told to, or may be. */
  async isAnythingLeft(): Promise<boolean> {
    if (await this.#hasRecordFolder()) return true;
    const patience = new StorePatience(this.#context.clock, MARK_PATIENCE_MS);
    const located = await this.#snapshots.list(patience).catch(() => undefined);
    return located === undefined || located.length > 0;
  }

  // Another session that has put the profile aside may be making its own.
  async #tidy(): Promise<void> {
    const { folders } = this.#context;
    if (!(await this.#isOurs())) return;
    await folders.presence.removeRemade();
    await this.notice();
    await folders.removeEmpty();
  }

  /** A person has brought this login back, or the profile in place turned out to be of it. Never rejects. */
  async release(lineage: string): Promise<void> {
    const { record } = this.#context;
    const { heldLineages = [] } = record.current;
    try {
      if (heldLineages.includes(lineage)) {
        await record.update({ heldLineages: heldLineages.filter((held) => held !== lineage) });
      }
    } catch (error) {
      this.#tellIncomplete(error);
    }
    for (const { info, repository } of await this.#snapshots.list().catch(() => [])) {
      if (info.lineage !== lineage || (info.held ?? info.heldElsewhere) !== true) continue;
      await repository.release(lineage).catch((error: unknown) => this.#tellIncomplete(error));
    }
  }

  /** At a start: a store that was down when the profile was removed is told now. */
  async repeat(patience: StorePatience): Promise<void> {
    for (const lineage of this.#context.record.current.heldLineages ?? []) {
      await this.#markStores(lineage, patience);
    }
  }

  /** Whether the newest login of this profile is held: then nothing is restored by itself. */
  async isNewestHeld(): Promise<boolean> {
    const [newest] = (await this.#snapshots.sorted()).ours;
    return newest !== undefined && this.isHeld(newest.info);
  }

  isHeld({ lineage, held }: { readonly lineage: string; readonly held?: true }): boolean {
    return held === true || (this.#context.record.current.heldLineages ?? []).includes(lineage);
  }

  async #hold(lineage: string): Promise<void> {
    const { record, clock } = this.#context;
    const { heldLineages = [] } = record.current;
    await record.updateInPlace({
      loggedIn: false,
      basedOn: undefined,
      lineage: undefined,
      account: undefined,
      run: 0,
      heldLineages: [...heldLineages.filter((held) => held !== lineage), lineage],
    });
    await this.#markStores(lineage, new StorePatience(clock, MARK_PATIENCE_MS));
  }

  // Where a store has no copy there is nothing to hold; it may be gone, too, and must not be made anew.
  async #markStores(lineage: string, patience: StorePatience): Promise<void> {
    const at = new Date(this.#context.clock.now()).toISOString();
    const mark = async (repository: SnapshotRepository) => {
      const copies = (await repository.list()).filter((info) => info.lineage === lineage);
      if (copies.length === 0 || copies.some(({ held }) => held === true)) return;
      await repository.hold(lineage, { cause: 'removed', at });
    };
    for (const { repository, error } of failed(
      await askStores(allRepositories(this.#context), mark, patience),
    )) {
      this.#tellIncomplete(error, repository.store.name);
    }
  }

  async #newestLineage(): Promise<string | undefined> {
    const patience = new StorePatience(this.#context.clock, MARK_PATIENCE_MS);
    const { proven } = await this.#snapshots.sorted(patience).catch(() => ({ proven: [] }));
    return proven[0]?.info.lineage;
  }

  // What another session has put aside was not removed. The lease of the profile lies beside it, and may be gone with it.
  async #isOurs(): Promise<boolean> {
    const { lease, profileLease } = this.#context;
    if (!(await lease.confirm())) return false;
    return (await profileLease.confirm()) || !(await this.#hasRecordFolder());
  }

  async #hasRecordFolder(): Promise<boolean> {
    const { folders, fs } = this.#context;
    return exists(fs, dirname(await folders.stateFile('session.json')));
  }

  #tellIncomplete(error: unknown, where = 'the removed login'): void {
    this.#context.warn(
      'revocation-incomplete',
      `${where}: its snapshots could not be marked yet: ${describeError(error).message}`,
    );
  }
}

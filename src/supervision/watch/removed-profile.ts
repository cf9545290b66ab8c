import { dirname } from 'node:path';
import { describeError } from '../../errors.js';
import { exists } from '../../profile/walk.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import type { SnapshotInfo } from '../../types.js';
import { askStores, failed, StorePatience } from '../context/ask-stores.js';
import { allRepositories, type SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';
import type { HoldRelease } from '../login/hold-release.js';
import { holdSuperseded } from '../login/hold-replaced.js';
import { spreadHolds } from '../login/spread-holds.js';
import { TwoPlaces } from '../login/two-places.js';

/** Time limit for each store, ms. A store that hangs must not keep a process from ending. */
const MARK_PATIENCE_MS = 5_000;

/** The message for a login that is not restored because its profile was removed. */
export const HELD_MESSAGE =
  'this login is on hold (its profile was removed, clear() has ended it, a later login has replaced it, or it moved to another ' +
  'client id) and is ' +
  'not restored automatically: scan a new QR, or call restore() to bring the login back, or restore(id) for one of its ' +
  'snapshots';

export interface RemovedProfileParts {
  readonly snapshots: SessionSnapshots;
  readonly holds: HoldRelease;
  /**
   * Runs work while it holds the session's leases; does not run it when another process owns the session.
   */
  readonly asOwner: (work: () => Promise<void>) => Promise<void>;
}

/**
 * Handles a profile that was removed on purpose: it disappeared while its session was running or being closed. Its
 * snapshots are kept but held, so that only a person can restore them.
 * The hold is noted in memory, beside the profile and in every store that has such snapshots, because whoever removes
 * a profile often removes everything beside it, too.
 */
export class RemovedProfile {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;
  readonly #holds: HoldRelease;
  readonly #asOwner: RemovedProfileParts['asOwner'];
  readonly #twoPlaces: TwoPlaces;

  constructor(context: SessionContext, { snapshots, holds, asOwner }: RemovedProfileParts) {
    this.#context = context;
    this.#snapshots = snapshots;
    this.#holds = holds;
    this.#asOwner = asOwner;
    this.#twoPlaces = new TwoPlaces(context);
  }

  /**
   * Checks whether the profile was removed since it was last seen. If so, holds its login and announces that. Never
   * rejects: a mark that could not be written is reported as a warning.
   */
  async notice(): Promise<boolean> {
    const { folders, record, warn, follower } = this.#context;
    if (!(await folders.presence.isRemoved()) || !(await this.#isOurs())) return false;
    folders.presence.forget();
    await follower.stop();
    const lineage = record.current.lineage ?? (await this.#newestLineage());
    if (lineage === undefined) return true; // no login could come back
    await this.#hold(lineage).catch((error: unknown) => this.#tellIncomplete(error));
    warn('profile-removed', HELD_MESSAGE);
    return true;
  }

  /** Holds logins whose profile lives on under another name. Never rejects. */
  async holdMoved(lineages: readonly string[]): Promise<void> {
    const { record, warn } = this.#context;
    const { lineage: here } = record.current;
    try {
      if (here !== undefined && lineages.includes(here)) await this.#hold(here);
      const { heldLineages = [] } = record.current;
      const others = lineages.filter((one) => !heldLineages.includes(one));
      await record.updateInPlace({ heldLineages: [...heldLineages, ...others] });
      for (const one of others)
        await this.#markStores(one, new StorePatience(this.#context.clock, MARK_PATIENCE_MS));
    } catch (error) {
      this.#tellIncomplete(error);
    }
    warn('profile-removed', HELD_MESSAGE);
  }

  /**
   * Call at the end of a session, after its browser is closed. Does what {@link notice} does, and also deletes what
   * was recreated after the removal.
   *
   * @param options `hasFailed`: whether its attempts were used up before, so that it no longer holds a lease;
   * `byBot`: whether the bot closed its client; `byItself`: whether the session stops without a call
   */
  async settle({ hasFailed = false, byBot = false, byItself = false } = {}): Promise<void> {
    const { folders, lease, logger } = this.#context;
    try {
      await folders.presence.beginIfRemoved(); // the start may have been ended before it looked at the profile
      if (await folders.presence.isRemoved()) {
        if (hasFailed || !lease.isHeld()) await this.#asOwner(() => this.#tidy());
        else await this.#tidy();
      }
    } catch (error) {
      logger.warn('what was left of a removed profile stays', { error: describeError(error) });
    }
    folders.presence.end({ byBot, byItself });
  }

  /**
   * Call after the end of a session, as its owner: holds the login if the bot has removed the profile since;
   * otherwise keeps watching it.
   */
  async noticeLeft(): Promise<void> {
    const { presence } = this.#context.folders;
    presence.begin();
    if (!(await this.notice())) presence.end({ byBot: true });
  }

  /** Whether a record folder or a snapshot exists, or may exist, in which a removal could be noted. */
  async isAnythingLeft(): Promise<boolean> {
    if (await this.#hasRecordFolder()) return true;
    const patience = new StorePatience(this.#context.clock, MARK_PATIENCE_MS);
    const located = await this.#snapshots.list(patience).catch(() => undefined);
    return located === undefined || located.length > 0;
  }

  // Another session that put the profile aside may be creating its own one.
  async #tidy(): Promise<void> {
    const { folders } = this.#context;
    if (!(await this.#isOurs())) return;
    await folders.presence.removeRemade();
    await this.notice();
    await folders.removeEmpty();
  }

  /**
   * Call when a person has restored this login, or when the profile in place belongs to it: ends the hold. Never
   * rejects.
   */
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
    for (const { repository, error } of await this.#holds.release(lineage)) {
      this.#context.warn(
        'revocation-incomplete',
        `${repository.store.name}: the hold on a login that is back could not be ended yet: ${describeError(error).message}`,
      );
    }
  }

  /**
   * Call after copies of the login in use were stored: ends the hold in a store that was away at {@link release}, and one
   * that another bot on this client id has set. Never rejects.
   */
  async releaseInUse(lineage: string, copies: readonly SnapshotInfo[]): Promise<void> {
    await this.#holds.finish();
    if (lineage !== this.#context.record.current.lineage) return; // it was removed meanwhile
    const isMoved = await this.#twoPlaces.notice(lineage, new Set(copies.map(({ store }) => store)));
    const isReleased = this.#holds.isReleased(lineage);
    const isOutOfDate = ({ held, heldElsewhere }: SnapshotInfo) =>
      heldElsewhere === true || (held === true && isReleased);
    if (isMoved || copies.some(isOutOfDate)) await this.release(lineage);
  }

  /** Call at a start whose profile in place has a login that is held: ends the hold. Never rejects. */
  async releaseInPlace(lineage: string): Promise<void> {
    await this.#twoPlaces.notice(lineage);
    await this.release(lineage);
  }

  /**
   * Call at a start: marks the login in stores that were down when the profile was removed, by what this machine or
   * another store remembers.
   */
  async repeat(patience: StorePatience): Promise<void> {
    for (const lineage of this.#context.record.current.heldLineages ?? []) {
      await this.#markStores(lineage, patience);
    }
    for (const { repository, error } of await spreadHolds(this.#context, patience)) {
      this.#tellIncomplete(error, repository.store.name);
    }
  }

  /** Whether the newest login of this profile is held. Then nothing is restored automatically. */
  async isNewestHeld(): Promise<boolean> {
    const [newest] = (await this.#snapshots.sorted()).ours;
    if (newest === undefined) return false;
    const { lineage } = newest.info;
    const { replacedLineages = [] } = this.#context.record.current;
    if (!this.isHeld(newest.info) || replacedLineages.includes(lineage)) return false;
    return !(await this.#snapshots.isCleared(lineage));
  }

  isHeld({ lineage, held }: { readonly lineage: string; readonly held?: true }): boolean {
    return held === true || (this.#context.record.current.heldLineages ?? []).includes(lineage);
  }

  async #hold(lineage: string): Promise<void> {
    const { record, clock } = this.#context;
    const { heldLineages = [], formerLineage } = record.current;
    this.#holds.forget();
    // The one that a profile has replaced, before that was ready, must not come in its place either.
    const ended = [formerLineage, lineage].filter((one) => one !== undefined);
    await record.updateInPlace({
      loggedIn: false,
      basedOn: undefined,
      lineage: undefined,
      formerLineage: undefined,
      account: undefined,
      run: 0,
      heldLineages: [...heldLineages.filter((held) => !ended.includes(held)), ...ended],
    });
    for (const one of ended) await this.#markStores(one, new StorePatience(clock, MARK_PATIENCE_MS));
    await this.#snapshots.places.share();
    await holdSuperseded(this.#context, this.#snapshots);
  }

  // A store without a copy needs no mark. Its folder may have been removed, too, and must not be recreated.
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

  // If another session put the profile aside, it was not removed. The profile's lease lies beside the profile and may
  // be gone with it.
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

import { accountId } from '../../client/page-probe.js';
import { withDeadline } from '../../clock.js';
import { describeError } from '../../errors.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import { MAX_IMPORTED, MAX_RUN } from '../../snapshot/manifest/manifest-fields.js';
import type { SnapshotInfo } from '../../types.js';
import { StorePatience } from '../context/ask-stores.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';
import { hasLineage } from '../record/copied-record.js';
import { onlyImports } from '../record/import-marks.js';
import { newLineageAfter } from '../record/lineage.js';
import { endedLineages, type RecordChange, type SessionRecord } from '../record/session-record.js';
import { isMarkOf, isSalted, markAccount } from './account-mark.js';
import { holdTheRest } from './former-owners.js';
import type { HoldRelease } from './hold-release.js';
import { holdReplaced, holdSuperseded } from './hold-replaced.js';
import type { ProfileProof } from './profile-proof.js';
import { whatItReplaced } from './unrecorded-profile.js';

/** How long a silent store may delay the saves or the end of a session, ms. */
const STORES_PATIENCE_MS = 5_000;
/** How long the marks in the stores may delay the end of a session, ms. */
const LAST_MARK_PATIENCE_MS = 1_000;

/**
 * Decides at every `ready` which lineage the session belongs to, and counts the run.
 *
 * A pairing starts a new lineage, and so does a `ready` with another account, or with a copied profile whose original is still
 * there. A profile without a record (older than this library, or with a lost record) continues the newest lineage of this place
 * if it has the same account and goes on from one of its snapshots: else it is another device of that account. A lineage of
 * another place may belong to another bot that is linked to the same account as a different device.
 */
export class LineageKeeper {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;
  readonly #holds: HoldRelease;
  readonly #proof: ProfileProof;
  #counting: Promise<void> = Promise.resolve();
  /** Whether every store could say how many runs it knows. */
  #areAllCounted = true;
  /** Whether the logins that the one in place has replaced are marked in every store. */
  #areMarked = true;
  #marking: Promise<void> = Promise.resolve();
  /** The login that was last ready here, if every store could say at that time what it knew of this place. */
  #claimed: string | undefined;

  constructor(
    context: SessionContext,
    {
      snapshots,
      holds,
      proof,
    }: { readonly snapshots: SessionSnapshots; readonly holds: HoldRelease; readonly proof: ProfileProof },
  ) {
    this.#context = context;
    this.#snapshots = snapshots;
    this.#holds = holds;
    this.#proof = proof;
  }

  /**
   * Call at every `ready`.
   *
   * @param paired whether the login was made by a scan or a code since the last `ready`
   */
  noteReady(paired: boolean): void {
    const noted = this.#proof.noteReady(paired);
    this.#counting = noted
      .then(() => this.#count(paired))
      .catch((error: unknown) => {
        this.#context.warn(
          'cleanup-failed',
          `the session's record could not be written: ${describeError(error).message}`,
        );
      });
    this.#marking = this.#counting.then(() => this.#mark()).catch(() => undefined);
  }

  /** Resolves when the last `ready` was counted, or after a deadline when a store hangs. */
  counted(): Promise<void> {
    const { clock, options } = this.#context;
    const counting = this.#counting.then(() => this.#prove()).then(() => this.#countTheRest());
    return withDeadline(clock, options.puppeteerTimeoutMs, 'counting the run', counting).catch(
      () => undefined,
    );
  }

  /**
   * A profile that could not be compared with its last snapshot before the start: once it can be, it goes on with its lineage, or
   * begins one of its own.
   */
  async #prove(): Promise<void> {
    const { inPlace, record, warn } = this.#context;
    if (inPlace.isProven) return;
    await this.#proof.look();
    if (inPlace.isExchanged) return; // what lies there now tells nothing of the login in use
    const { continuity, mayTellMore } = await this.#proof.compare();
    if (continuity === 'unclear' && mayTellMore) return;
    inPlace.isProven = true;
    if (continuity === 'continues') return record.update({ profileMark: inPlace.mark });
    await this.#count(true);
    warn(
      'profile-replaced',
      'the profile in use is not known to be the one that was last saved here: a new series of snapshots begins',
    );
  }

  /**
   * A store that was away at `ready` may know of later runs of this login, made elsewhere or before the disk was set back.
   * The run that is going on came after them, so it gets a higher number; else the next start would take them for newer.
   */
  async #countTheRest(): Promise<void> {
    const { lineage, run } = this.#context.record.current;
    if (this.#areAllCounted || lineage === undefined) return;
    const known = await this.#runsOf(lineage);
    if (known > run) await this.#context.record.update({ run: Math.min(known + 1, MAX_RUN) });
    this.#areAllCounted = !this.#snapshots.hasSilentStore;
  }

  /** Like {@link counted}; also marks what was replaced in the stores that did not answer at `ready`, if they do now. */
  async settled(): Promise<void> {
    await this.counted();
    await withDeadline(
      this.#context.clock,
      LAST_MARK_PATIENCE_MS,
      'marking what was replaced',
      this.#marking,
    ).then(
      () => this.#markTheRest(),
      () => undefined,
    );
  }

  async #mark(): Promise<void> {
    this.#areMarked = false;
    // At every `ready`, because a store may have been down at the one before.
    const { lineage, rejectedLineages } = this.#context.record.current;
    const isClaimed = lineage !== undefined && (await this.#snapshots.places.claim(lineage));
    this.#claimed = isClaimed ? lineage : undefined;
    await holdReplaced(this.#context, rejectedLineages);
    await this.#holds.finish();
    this.#areMarked = await holdSuperseded(this.#context, this.#snapshots);
  }

  // A store may have come back since `ready`, and the record may be lost before the next one.
  async #markTheRest(): Promise<void> {
    // Each time: a disk that was not mounted before looked like an empty store.
    const patience = new StorePatience(this.#context.clock, LAST_MARK_PATIENCE_MS);
    const { places } = this.#snapshots;
    const { lineage } = this.#context.record.current;
    const isInUse = lineage !== undefined && lineage === this.#claimed;
    await (isInUse ? places.claim(lineage, patience) : places.share(patience));
    await holdTheRest(this.#context, LAST_MARK_PATIENCE_MS);
    await this.#holds.settle(LAST_MARK_PATIENCE_MS);
    if (this.#areMarked) return;
    this.#areMarked = await holdSuperseded(this.#context, this.#snapshots, LAST_MARK_PATIENCE_MS);
  }

  async #count(paired: boolean): Promise<void> {
    const { record, warn, driver, entryScript, inPlace } = this.#context;
    const before = record.current;
    const patience = new StorePatience(this.#context.clock, STORES_PATIENCE_MS);
    const id = accountId(driver);
    const isSame = id !== undefined && before.account !== undefined && (await isMarkOf(before.account, id));
    const changed = id !== undefined && before.account !== undefined && !isSame;
    if (changed) {
      warn(
        'account-changed',
        'another WhatsApp account is logged in than before: a new series of snapshots begins',
      );
    }
    const own = this.#isOver(before.lineage) ? undefined : before.lineage;
    const isCopy = !paired && !changed && (await this.#isCopied(before));
    const isOurs = !paired && !changed && !isCopy;
    const found = isOurs && own === undefined ? await this.#lineageOf(id, patience) : undefined;
    const known = isOurs ? (own ?? found?.lineage) : undefined;
    const isUnrecorded = known === undefined && !paired && before.lineage === undefined && id !== undefined;
    const tell = isUnrecorded
      ? await whatItReplaced(
          this.#context,
          this.#snapshots,
          { account: id, otherPairing: found?.other },
          patience,
        )
      : undefined;
    const mayStay = id === undefined || (isSame && isSalted(before.account));
    if (known === undefined) inPlace.isProven = true; // of the lineage that begins here
    const account = mayStay ? before.account : await markAccount(id);
    const replaced = known === undefined ? await this.#replacedBy(before) : {};
    const imported = known === undefined ? await this.#importsBefore(before) : [];
    const lastRun = known === undefined ? 0 : Math.max(before.run, await this.#runsOf(known));
    this.#areAllCounted = known === undefined || !this.#snapshots.hasSilentStore;
    await record.update({
      lineage: known ?? newLineageAfter(this.#context),
      run: Math.min(lastRun + 1, MAX_RUN),
      account: id === undefined && known === undefined ? undefined : account,
      startedBy: entryScript,
      loggedIn: true,
      requestedOver: undefined,
      askedFor: undefined,
      cameFrom: undefined,
      ...(inPlace.isProven && { profileMark: inPlace.mark }),
      ...(known === undefined && { basedOn: undefined }),
      ...((known === undefined || before.formerLineage !== undefined) && {
        inPlaceSince: await this.#snapshots.timeAfterAll(),
      }),
      ...(imported.length > 0 && { imported }),
      ...replaced,
      ...withoutFormer(before),
    });
    if (tell !== undefined) warn('profile-replaced', tell(record.current.lineage ?? ''));
  }

  /** Whether the place from which the login came still has it, so that the copies of each have to be told apart. */
  async #isCopied({ lineage, cameFrom }: SessionRecord): Promise<boolean> {
    const { clientId, fs, profile, warn } = this.#context;
    if (lineage === undefined || cameFrom === undefined || cameFrom === profile.path) return false;
    if (!(await hasLineage(fs, cameFrom, { lineage, here: profile.path }))) return false;
    warn(
      'other-profile',
      `the profile of '${clientId}' is a copy of the one at ${cameFrom}, which still has this login: a new series of snapshots ` +
        "begins here, and its own stay with the other one. Two clients can't use one login: stop one of the two",
    );
    return true;
  }

  /** The logins that a new one replaces, as far as the stores answer; the time of the new one tells of the others. */
  async #replacedBy(before: SessionRecord): Promise<RecordChange> {
    const patience = StorePatience.brief(this.#context.clock);
    const { ours } = await this.#snapshots.sorted(patience).catch(() => ({ ours: [] }));
    const { lineage = [], replacedLineages = [] } = before;
    const lineages = [replacedLineages, lineage, ours.map(({ info }) => info.lineage)].flat();
    return { replacedLineages: [...new Set(lineages)] };
  }

  /**
   * The imports of before, also those that a `clear()` has ended: a call of `importSession()` that is left in the bot must
   * not put one of them in place of the login that came after.
   */
  async #importsBefore({ imported = [] }: SessionRecord): Promise<readonly string[]> {
    const cleared = await this.#context.clearNote.read();
    return onlyImports([...imported, ...(cleared?.imported ?? [])]).slice(-MAX_IMPORTED);
  }

  /**
   * The lineage of a profile without a record: that of the newest login of this place, if it is of the same account and the
   * profile goes on from one of its snapshots. Else it is another device of that account, and `other` is that login.
   */
  async #lineageOf(
    account: string | undefined,
    patience: StorePatience,
  ): Promise<{ readonly lineage?: string; readonly other?: LocatedSnapshot } | undefined> {
    if (account === undefined) return undefined;
    const { proven } = await this.#snapshots.sorted(patience).catch(() => ({ proven: [] }));
    const isMarked = ({ revoked, held }: SnapshotInfo) => revoked || held === true;
    const marked = new Set(proven.filter(({ info }) => isMarked(info)).map(({ info }) => info.lineage));
    const open = proven.filter(({ info }) => !marked.has(info.lineage) && !this.#isOver(info.lineage));
    for (const newest of open) {
      const { info, repository } = newest;
      const manifest = await repository.manifest(info.id).catch(() => undefined);
      if (manifest === undefined) continue;
      if (!(await isMarkOf(manifest.account ?? '', account))) return undefined;
      const own = open.filter(({ info: { lineage } }) => lineage === info.lineage);
      const continuity = await this.#proof.compareWithAny(own);
      if (continuity === undefined) this.#context.inPlace.isProven = false; // compared again before it is saved
      return continuity === undefined || continuity === 'continues'
        ? { lineage: info.lineage }
        : { other: newest };
    }
    return undefined;
  }

  /**
   * Whether the lineage was logged out, rejected by WhatsApp, removed, or replaced. Its snapshots are never restored
   * automatically, so nothing may be added to it.
   */
  #isOver(lineage: string | undefined): boolean {
    return lineage !== undefined && endedLineages(this.#context.record.current).includes(lineage);
  }

  // A store that is down must not keep a ready bot from counting; then the record's own number is used.
  #runsOf(lineage: string): Promise<number> {
    const patience = StorePatience.brief(this.#context.clock);
    return this.#snapshots.lastRun(lineage, patience).catch(() => 0);
  }
}

/**
 * The login in place has become ready, so the one before it, which was kept for a QR, must never replace it
 * automatically.
 */
function withoutFormer({ formerLineage, rejectedLineages }: SessionRecord): RecordChange {
  if (formerLineage === undefined) return {};
  return { formerLineage: undefined, rejectedLineages: [...rejectedLineages, formerLineage] };
}

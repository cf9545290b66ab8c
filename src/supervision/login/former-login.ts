import { join } from 'node:path';
import { QUARANTINED_PROFILE } from '../../profile/install/replace.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';
import type { RecordChange, SessionRecord } from '../record/session-record.js';
import { isSameAccount } from './same-account.js';

/** The login that a person replaces, as it was found before. */
export interface FoundFormer {
  readonly record: SessionRecord;
  /** The newest snapshot of the login that would be restored without the call; absent when there is none. */
  readonly newest: LocatedSnapshot | undefined;
  /** Whether no store has the login in place, which then lies only in the quarantine. */
  readonly isUnsaved: boolean;
  /** ISO 8601. */
  readonly at: string;
}

/** What a person has put in place. */
export interface PutInPlace {
  readonly snapshot: LocatedSnapshot;
  /** Path of the old session, for an import. */
  readonly from?: string;
}

/**
 * Remembers which login a person has replaced by `restore(id)` or `importSession()`. If what was put in place proves dead, and
 * was not ready before, the login that was in place comes back, or another one of the same account; about one that may be of
 * another account, the person decides (see rejected-restore.ts).
 */
export class FormerLogin {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;

  constructor(context: SessionContext, { snapshots }: { readonly snapshots: SessionSnapshots }) {
    this.#context = context;
    this.#snapshots = snapshots;
  }

  /** Call before the profile is replaced, with the record loaded. Never rejects. */
  async find(): Promise<FoundFormer> {
    const { clock, record } = this.#context;
    const { formerLineage, lineage, loggedIn, basedOn } = record.current;
    const [newest] = await this.#snapshots.candidates(formerLineage).catch(() => []);
    const located = await this.#snapshots.list().catch(() => undefined);
    const isStored = ({ info }: LocatedSnapshot) => info.lineage === lineage || info.id === basedOn;
    const isUnsaved = loggedIn && located?.some(isStored) !== true;
    return { record: record.current, newest, isUnsaved, at: new Date(clock.now()).toISOString() };
  }

  /** Call after the profile was replaced. Rejects when the record can't be written. */
  async note(found: FoundFormer, put: PutInPlace, change: RecordChange = {}): Promise<void> {
    const { record } = this.#context;
    const quarantined = (await this.#unsavedIn(found, put)) ?? found.record.askedFor?.quarantined;
    const { from, snapshot } = put;
    await record.update({
      ...change,
      formerLineage: undefined,
      requestedOver: undefined,
      ...(await this.#comesBack(found, put)),
      askedFor: {
        restored: snapshot.info.id,
        ...(from !== undefined && { from }),
        ...(quarantined !== undefined && { quarantined }),
      },
    });
  }

  async #comesBack({ record, newest }: FoundFormer, { snapshot }: PutInPlace): Promise<RecordChange> {
    const { formerLineage, requestedOver } = record;
    const { lineage, id: restored } = snapshot.info;
    const before = newest?.info;
    if (newest === undefined || before === undefined || before.lineage === lineage) {
      const isBack = requestedOver === undefined || requestedOver.lineage === lineage;
      return isBack ? {} : { requestedOver: { ...requestedOver, restored, rejectedAt: undefined } };
    }
    // What was in place until now, or before an earlier such call, is put back as if nothing had been asked for.
    const wasInPlace = before.lineage === record.lineage || before.lineage === formerLineage;
    if (wasInPlace || (await isSameAccount(this.#context, snapshot, newest)))
      return { formerLineage: before.lineage };
    return { requestedOver: { restored, before: before.id, lineage: before.lineage } };
  }

  /** The profile in quarantine, if it has the only copy of the login that was in place. */
  async #unsavedIn({ isUnsaved, at }: FoundFormer, { from }: PutInPlace): Promise<string | undefined> {
    if (!isUnsaved) return undefined;
    const entry = await this.#context.folders
      .quarantinedSince(at, from === undefined ? 'requested' : 'imported')
      .catch(() => undefined);
    return entry === undefined ? undefined : join(entry, QUARANTINED_PROFILE);
  }
}

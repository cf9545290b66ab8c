import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { StorePatience } from '../context/ask-stores.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';

/**
 * Finds a login that came after the one in place. The disk of the profile, with the record beside it, may have been
 * set back to a time before another pairing. Then only the stores know of that pairing.
 */
export class LaterLogin {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;

  constructor(context: SessionContext, { snapshots }: { readonly snapshots: SessionSnapshots }) {
    this.#context = context;
    this.#snapshots = snapshots;
  }

  /** Snapshots of a login that was saved after the profile in place, best first; empty when there is none. */
  async candidates(patience?: StorePatience): Promise<readonly LocatedSnapshot[]> {
    const { lineage, basedOn } = this.#context.record.current;
    if (lineage === undefined || basedOn === undefined) return [];
    const newest = await this.#snapshots.candidates(undefined, { patience });
    // Ids sort by capture time.
    return newest.some(({ info }) => info.lineage === lineage || info.id < basedOn) ? [] : newest;
  }

  /**
   * Snapshots of a login that was saved at this place after the one in place, although nothing notes it: an older state of
   * the whole bot was put back over it, with the stores' notes. To be tried where the login in place leads to a QR.
   */
  async savedSince(patience?: StorePatience): Promise<readonly LocatedSnapshot[]> {
    const { lineage, placeLogin, inPlaceSince = '' } = this.#context.record.current;
    if (lineage === undefined || placeLogin === undefined) return [];
    const { lastHere } = await this.#snapshots.sorted(patience);
    const isOwn = ({ info }: LocatedSnapshot) => info.lineage === lineage;
    const [newest] = lastHere; // newest first, those with a time in the future last
    if (newest === undefined || isOwn(newest)) return [];
    // The place's time is that of a clock, which a capture may be ahead of.
    if (newest.info.createdAt <= placeLogin.since || newest.info.createdAt <= inPlaceSince) return [];
    return this.#snapshots.candidates(newest.info.lineage, { patience });
  }

  /**
   * Snapshots to try after the server has logged the profile in place out, best first. Call it before the logout is
   * noted. If somebody put that profile in place of another login, the login before it may still be sound.
   */
  async afterLogout(patience?: StorePatience): Promise<readonly LocatedSnapshot[]> {
    const { formerLineage } = this.#context.record.current;
    const former =
      formerLineage === undefined ? [] : await this.#snapshots.candidates(formerLineage, { patience });
    return former.length > 0 ? former : this.candidates(patience);
  }

  /**
   * The {@link candidates}, if a store says that the login in place has ended: it was logged out, its profile was
   * removed, `clear()` has deleted it, or all its snapshots were deleted. Otherwise empty.
   */
  async whereThisOneHasEnded(patience?: StorePatience): Promise<readonly LocatedSnapshot[]> {
    const { lineage } = this.#context.record.current;
    const later = await this.candidates(patience);
    if (later.length === 0) return [];
    const own = (await this.#snapshots.list(patience)).filter(({ info }) => info.lineage === lineage);
    const isDeleted = own.length === 0 && !(await this.#snapshots.mayHaveMore(patience));
    if (lineage !== undefined && (await this.#snapshots.isCleared(lineage, patience))) return later;
    return isDeleted || own.some(({ info }) => info.revoked || info.held === true) ? later : [];
  }
}

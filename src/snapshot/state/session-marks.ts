import type { ObjectInfo, StoreCallOptions } from '../../stores/session-store.js';
import { isSnapshotId } from '../manifest/snapshot-id.js';
import type { Hold, PlaceLogin, Revocation } from '../repository.js';
import { StateObject, type StateObjectOptions } from './state-object.js';
import { type LineageMark, withMark, withoutMarks, withPlaceLogin } from './store-state.js';

/** By then no put is under way any more that a server could still finish, ms. */
const CLEARED_LASTS_MS = 30 * 24 * 60 * 60 * 1000;

/** So long after it was first seen that nobody needs an object, it is deleted, ms. */
const DOOMED_FOR_MS = 3_600_000;

/** The marked lineages of a store. */
export interface MarkedLineages {
  readonly revoked: ReadonlySet<string>;
  readonly held: readonly LineageMark[];
  readonly heldElsewhere: ReadonlySet<string>;
  /** Those that a `clear()` has ended. */
  readonly cleared: ReadonlySet<string>;
}

/** Which logins of a client id have ended or are held, and when its snapshots were verified; kept in a {@link StateObject}. */
export class SessionMarks {
  readonly #state: StateObject;

  constructor(options: StateObjectOptions) {
    this.#state = new StateObject(options);
  }

  isChanged(options: StoreCallOptions): Promise<boolean> {
    return this.#state.isChanged(options);
  }

  /** Deletes all but what outlives a `clear()`. */
  clear(options: StoreCallOptions): Promise<void> {
    return this.#state.clear(options);
  }

  async lineages(options: StoreCallOptions): Promise<MarkedLineages> {
    const { marks } = await this.#state.read(options);
    return {
      revoked: lineagesOf(marks.revoked),
      held: marks.held,
      heldElsewhere: lineagesOf(marks.heldElsewhere),
      cleared: lineagesOf(marks.cleared),
    };
  }

  revoke(lineage: string, { cause, at }: Revocation, options: StoreCallOptions): Promise<void> {
    return this.#state.changeMarks((marks) => withMark(marks, 'revoked', { lineage, cause, at }), options);
  }

  hold(lineage: string, hold: Hold, options: StoreCallOptions): Promise<void> {
    const { cause } = hold;
    const kind = cause === 'cleared' || cause === 'replaced' ? 'heldElsewhere' : 'held';
    return this.#state.changeMarks((marks) => {
      const before = marks[kind].find((mark) => mark.lineage === lineage);
      const left = before && isWeaker(before, hold) ? withoutMarks(marks, [kind], lineage) : marks;
      return withMark(left, kind, { lineage, ...hold });
    }, options);
  }

  release(lineage: string, options: StoreCallOptions): Promise<void> {
    return this.#state.changeMarks(
      (marks) => withoutMarks(marks, ['held', 'heldElsewhere'], lineage),
      options,
    );
  }

  markCleared(lineage: string, at: string, options: StoreCallOptions): Promise<void> {
    const mark = { lineage, cause: 'cleared', at };
    return this.#state.changeMarks((marks) => withMark(marks, 'cleared', mark), options);
  }

  unmarkCleared(lineage: string, options: StoreCallOptions): Promise<void> {
    return this.#state.changeMarks((marks) => withoutMarks(marks, ['cleared'], lineage), options);
  }

  /** Deletes the marks of old `clear()` calls. Returns their number. */
  async sweepCleared(now: number, options: StoreCallOptions): Promise<number> {
    let count = 0;
    await this.#state.changeMarks((marks) => {
      const cleared = marks.cleared.filter(({ at }) => Date.parse(at) >= now - CLEARED_LASTS_MS);
      count = marks.cleared.length - cleared.length;
      return count === 0 ? marks : { ...marks, cleared };
    }, options);
    return count;
  }

  /**
   * Notes which objects nobody needs, and tells those that nobody has needed for an hour. They may be deleted: whoever
   * began to write a snapshot before, or looked at the store then, has come to an end since.
   *
   * @param unneeded the objects that no snapshot needs now
   */
  async doom(
    unneeded: readonly ObjectInfo[],
    now: number,
    options: StoreCallOptions,
  ): Promise<readonly ObjectInfo[]> {
    let ripe: readonly ObjectInfo[] = [];
    await this.#state.changeDoomed((doomed) => {
      const since = new Map(doomed.map((one) => [`${one.key}\n${one.version}`, one.at]));
      const sinceOf = ({ key, version }: ObjectInfo) => {
        const at = Date.parse(since.get(`${key}\n${version}`) ?? '');
        return Number.isNaN(at) ? now : Math.min(at, now); // the clock may have been ahead
      };
      ripe = unneeded.filter((info) => sinceOf(info) <= now - DOOMED_FOR_MS);
      const left = unneeded.filter((info) => !ripe.includes(info));
      const next = left.map((info) => ({
        key: info.key,
        version: info.version,
        at: new Date(sinceOf(info)).toISOString(),
      }));
      return JSON.stringify(next) === JSON.stringify(doomed) ? doomed : next;
    }, options);
    return ripe;
  }

  putPlaceLogin(login: PlaceLogin, options: StoreCallOptions): Promise<void> {
    return this.#state.changePlaces((places) => withPlaceLogin(places, login), options);
  }

  async placeLogins(options: StoreCallOptions): Promise<readonly PlaceLogin[]> {
    return (await this.#state.read(options)).places;
  }

  /** The time of the last verification for each id. */
  async verifiedAt(options: StoreCallOptions): Promise<ReadonlyMap<string, string>> {
    const { verified } = await this.#state.read(options);
    return new Map(verified.map(({ id, at }) => [id, at]));
  }

  /** Ignores a failure: a snapshot that was found whole is whole, even if a full or read-only store can't record it. */
  async markVerified(id: string, at: string, options: StoreCallOptions): Promise<void> {
    if (!isSnapshotId(id)) return;
    await this.#state
      .changeVerified((verified) => [...verified.filter((one) => one.id !== id), { id, at }], options)
      .catch(() => options.signal?.throwIfAborted());
  }

  /** Deletes the verification times of snapshots that no longer exist. Returns their number. */
  async sweepVerified(present: ReadonlySet<string>, options: StoreCallOptions): Promise<number> {
    let count = 0;
    await this.#state.changeVerified((verified) => {
      const left = verified.filter(({ id }) => present.has(id));
      count = verified.length - left.length;
      return count === 0 ? verified : left;
    }, options);
    return count;
  }
}

/** Whether a hold ends by itself when its login is saved again, and the next one does so later, or never. */
function isWeaker({ cause, at }: LineageMark, next: Hold): boolean {
  return cause === 'moved' && (next.cause !== 'moved' || next.at > at);
}

function lineagesOf(marks: readonly LineageMark[]): ReadonlySet<string> {
  return new Set(marks.map(({ lineage }) => lineage));
}

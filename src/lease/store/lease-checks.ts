import { type Clock, type Moment, momentOf } from '../../clock.js';
import type { SessionStore } from '../../stores/session-store.js';
import { LEASES } from './lease-objects.js';

/** A session whose lease lives as long as this process shows that it lives. */
export interface BeatMember {
  /**
   * The process was taken for dead, or its object was removed: this session has to claim its lease anew, or learns that
   * somebody else has it. A failure is tried again with the next beat.
   */
  reclaim(): Promise<void>;
  /** Looks whether the lease is still this session's own, and puts it back where it was removed. */
  check(): Promise<void>;
  /**
   * Like {@link check}, by a listing of all leases. Returns `false` where the object is another one than this session knows,
   * or missing.
   */
  isListed(versions: ReadonlyMap<string, string>, begunAt: Moment): boolean;
}

/** So many leases are each looked at with every beat; more are looked at in one listing. */
const MOST_LOOKS = 8;
/** Where a listing is longer, each lease is looked at all the same. */
const MOST_LISTED = 20_000;
/** How many sessions are looked at at once. */
const AT_ONCE = 8;

/** Looks at the leases of all sessions: somebody may have removed or replaced one, and left the object of the process. */
export async function checkLeases(
  { store, clock }: { readonly store: SessionStore; readonly clock: Clock },
  members: readonly BeatMember[],
): Promise<void> {
  const listing = members.length > MOST_LOOKS ? await listedLeases(store, clock) : undefined;
  const rest =
    listing === undefined
      ? members
      : members.filter((member) => !member.isListed(listing.versions, listing.begunAt));
  await ofEach(rest, (member) => member.check());
}

async function listedLeases(
  store: SessionStore,
  clock: Clock,
): Promise<{ readonly versions: ReadonlyMap<string, string>; readonly begunAt: Moment } | undefined> {
  const begunAt = momentOf(clock);
  const versions = new Map<string, string>();
  for await (const { key, version } of store.list(LEASES)) {
    versions.set(key, version);
    if (versions.size > MOST_LISTED) return undefined;
  }
  return { versions, begunAt };
}

/** A failure of one session stops no other; the first one is thrown at the end. */
export async function ofEach<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = [];
  for (let from = 0; from < items.length; from += AT_ONCE) {
    const results = await Promise.allSettled(items.slice(from, from + AT_ONCE).map(work));
    failures.push(...results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : [])));
  }
  if (failures.length > 0) throw failures[0];
}

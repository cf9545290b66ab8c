import { type Clock, resultWithin } from '../clock.js';
import { type LeaseHeldError, StoreError } from '../errors.js';
import type { Announce, WarningCode } from '../events.js';
import { thisMachine } from '../lease/judge-holder.js';
import type { LeaseHolder } from '../lease/lease-record.js';
import type { LeaseGrant } from '../lease/local-lease.js';
import { heldBy } from '../lease/store/owner-watch.js';
import { processBeatOf } from '../lease/store/process-beats.js';
import { StoreLease } from '../lease/store/store-lease.js';
import { StoreOwnership } from '../lease/store/store-ownership.js';
import type { Logger } from '../logger.js';
import type { SnapshotRepository } from '../snapshot/repository.js';
import type { StartWaits } from '../start-waits.js';
import { WatchedStore } from '../stores/watched-store.js';
import type { SessionStores } from './session-stores.js';

/** Creates the ownership among machines, where a store of the session can tell who has it. */
export function createStoreOwnership(
  { shared, names, saves, backups }: SessionStores,
  parts: {
    readonly clientId: string;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly startWaits: StartWaits;
    readonly announce: Announce;
    readonly warn: (code: WarningCode, message: string) => void;
    readonly onLost: (reason: string) => void;
    /** Called while another process has the session that runs here without the lease. */
    readonly onHeldElsewhere: (error: LeaseHeldError) => void;
    readonly repositories: () => readonly SnapshotRepository[];
  },
): StoreOwnership | undefined {
  if (shared === undefined) return undefined;
  const { clientId, clock, logger, startWaits, announce, warn, onLost } = parts;
  const name = names.get(shared.store) ?? shared.store.name;
  const store = new WatchedStore(shared.store, { clock, name });
  const machine = thisMachine;
  const beat = processBeatOf(shared.given, { store, clock, logger, machine });
  const others = [saves, ...backups].filter(
    (one) => one !== shared.store && one.capabilities.fencedPut === true,
  );
  const otherNames = others.map((one) => names.get(one) ?? one.name);
  const highestKnown = () => highestIn(parts.repositories(), { clock, ofLease: name, ofOthers: otherNames });
  const lease = new StoreLease({
    ...{ clientId, store, beat, clock, logger, machine, highestKnown, onLost },
    onReclaimed: ({ owner, generation }) => announce('lease:acquired', { owner, generation }),
  });
  const onUnable = () =>
    warn(
      'store-limited',
      `the store ${name} keeps no conditions, so it can't tell which machine owns the session: run one instance only`,
    );
  const onLate = ({ owner, generation }: LeaseGrant) => announce('lease:acquired', { owner, generation });
  const onHeldElsewhere = (holder: LeaseHolder | undefined) =>
    parts.onHeldElsewhere(heldBy({ clientId, store }, holder));
  return new StoreOwnership({
    ...{ store, lease, clock, logger, startWaits },
    ...{ onLate, onHeldElsewhere, onLost, onUnable },
  });
}

/** Manifests that are asked for the highest fencing number: each owner puts a snapshot soon, so the newest ones tell it. */
const NEWEST = 3;

/** How long it is waited for what the other stores tell, ms: they must not hold up a start. */
const OTHERS_MS = 2000;

/**
 * The highest fencing number in the newest manifests; 0 where there is none. The other stores are asked too, because they
 * refuse numbers below those that they have seen, and are not needed: a number that is refused is raised later.
 */
async function highestIn(
  repositories: readonly SnapshotRepository[],
  {
    clock,
    ofLease,
    ofOthers,
  }: { readonly clock: Clock; readonly ofLease: string; readonly ofOthers: readonly string[] },
): Promise<number> {
  const inOthers = repositories
    .filter(({ store }) => ofOthers.includes(store.name))
    .map(async (one) => (await resultWithin(clock, OTHERS_MS, highestOf(one)).catch(() => 0)) ?? 0);
  const here = repositories.find(({ store }) => store.name === ofLease);
  const numbers = await Promise.all([here === undefined ? 0 : highestOf(here), ...inOthers]);
  return Math.max(...numbers);
}

async function highestOf(repository: SnapshotRepository): Promise<number> {
  const newest = (await repository.list()).slice(0, NEWEST);
  const manifests = await Promise.allSettled(newest.map(({ id }) => repository.manifest(id)));
  const read = manifests.filter((one) => one.status === 'fulfilled').map(({ value }) => value);
  const unread = manifests.find((one) => one.status === 'rejected');
  // One that is damaged, withheld or deleted meanwhile must not keep everybody from the session.
  if (read.length === 0 && unread !== undefined) {
    const message = 'none of the newest snapshots can be read, which tell the highest number of the lease';
    throw new StoreError(message, { cause: unread.reason });
  }
  return read.reduce((highest, { generation = 0 }) => Math.max(highest, generation), 0);
}

import type { SessionStore } from './session-store.js';

/**
 * A name of its own for each store of a session, for listings and messages: the store's, and where an earlier one has
 * that, with a number (`backup-dir-2`). Two stores of one class have equal names unless somebody names them; who takes
 * them for one deletes in the one what only the other still holds.
 *
 * @param stores the same one may be there twice: it has one name
 */
export function uniqueStoreNames(stores: readonly SessionStore[]): ReadonlyMap<SessionStore, string> {
  const given = new Set(stores.map(({ name }) => name));
  const names = new Map<SessionStore, string>();
  const taken = new Set<string>();
  for (const store of stores) {
    if (names.has(store)) continue;
    const name = taken.has(store.name)
      ? numbered(store.name, (one) => taken.has(one) || given.has(one))
      : store.name;
    taken.add(name);
    names.set(store, name);
  }
  return names;
}

function numbered(name: string, isTaken: (candidate: string) => boolean): string {
  let number = 2;
  while (isTaken(`${name}-${number}`)) number++;
  return `${name}-${number}`;
}

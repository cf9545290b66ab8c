import type { SessionStore } from './session-store.js';

/**
 * Gives each store of a session a unique name for listings and messages. It is the store's own name, with a number if
 * an earlier store has the same (`backup-dir-2`). Two stores of one class have the same name unless the user names
 * them. With unique names, nobody confuses them and deletes from one store a copy that only this store still has.
 *
 * @param stores may contain the same store twice, which then has one name
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

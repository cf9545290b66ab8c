import { isSessionError, SessionError } from '../../errors.js';
import type { ObjectInfo, PutOptions, SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import { isReadFault } from '../store-calls/read-faults.js';
import { deleteObject, headObject, listAll, readStart } from '../store-calls/store-bytes.js';
import { putVerified } from '../store-calls/verified-put.js';
import {
  type LineageMarks,
  MAX_STATE_BYTES,
  NO_MARKS,
  NO_STATE,
  parseState,
  type StoreState,
  serializeState,
  withMark,
} from './store-state.js';

/** How often a change is tried that meets the change of another process. */
const ATTEMPTS = 10;

export interface StateObjectOptions {
  readonly store: SessionStore;
  /** The same store without the write check, because any process may record a verification. */
  readonly recordStore: SessionStore;
  readonly clientId: string;
  /** The lineages of all snapshots in the store. */
  readonly lineages: (options: StoreCallOptions) => Promise<Iterable<string>>;
  /** Called for a damaged object, and once for one that is not delivered. */
  readonly onDamage: (key: string, error: unknown) => void;
}

/** Both objects as the store lists them. */
interface Objects {
  readonly main: ObjectInfo | undefined;
  readonly copy: ObjectInfo | undefined;
}

/**
 * `state.json` of a client id: which of its logins have ended or are held, which one belongs to which place, and when its
 * snapshots were verified.
 *
 * One that the store does not deliver, such as a file under a bad sector, is passed over like a damaged one; where neither
 * is delivered, it is the store that fails. A damaged object must not make a login restorable that was logged out. So each change of the marks and places is put into
 * `state-copy.json` first, which counts when `state.json` is damaged or gone. Where both are damaged, every login in the
 * store is held: only a person restores one, and the next change writes that down.
 *
 * Several processes may change it. Where the store keeps conditions, a change that meets another one is made again on
 * top of it.
 */
export class StateObject {
  readonly #options: StateObjectOptions;
  readonly #keys: { readonly main: string; readonly copy: string };
  /** Keys of objects that the store does not deliver, and that were already reported. */
  readonly #withheld = new Set<string>();
  #known: { readonly versions: string; readonly state: StoreState; readonly isLost: boolean } | undefined;

  constructor(options: StateObjectOptions) {
    this.#options = options;
    this.#keys = keysOf(options.clientId);
  }

  async read(options: StoreCallOptions): Promise<StoreState> {
    const objects = await this.#list(options);
    const { state, isLost } = await this.#readObjects(objects, options);
    return isLost ? { ...state, marks: await this.#allHeld(options) } : state;
  }

  /** Whether somebody has changed it since it was last read; one call of the store. */
  async isChanged(options: StoreCallOptions): Promise<boolean> {
    const info = await headObject(this.#options.recordStore, this.#keys.main, options);
    return this.#known === undefined || (info?.version ?? '') !== this.#known.versions.split('\n')[0];
  }

  /** @param change returns the same marks when there is nothing to change */
  async changeMarks(change: (marks: LineageMarks) => LineageMarks, options: StoreCallOptions): Promise<void> {
    await this.#change((state) => {
      const marks = change(state.marks);
      return marks === state.marks ? state : { ...state, marks };
    }, options);
  }

  async changeDoomed(
    change: (doomed: StoreState['doomed']) => StoreState['doomed'],
    options: StoreCallOptions,
  ): Promise<void> {
    await this.#change((state) => {
      const doomed = change(state.doomed);
      return doomed === state.doomed ? state : { ...state, doomed };
    }, options);
  }

  async changePlaces(
    change: (places: StoreState['places']) => StoreState['places'],
    options: StoreCallOptions,
  ): Promise<void> {
    await this.#change((state) => ({ ...state, places: change(state.places) }), options);
  }

  async changeVerified(
    change: (verified: StoreState['verified']) => StoreState['verified'],
    options: StoreCallOptions,
  ): Promise<void> {
    await this.#change((state) => {
      const verified = change(state.verified);
      return verified === state.verified ? state : { ...state, verified };
    }, options);
  }

  /** Call after everything else of the client id was deleted: only what outlives a `clear()` stays. */
  async clear(options: StoreCallOptions): Promise<void> {
    const { state } = await this.#readObjects(await this.#list(options), options);
    const { places, marks } = state;
    if (marks.cleared.length > 0 || places.length > 0) {
      const left: StoreState = { ...NO_STATE, marks: { ...NO_MARKS, cleared: marks.cleared }, places };
      return this.#change(() => left, options);
    }
    for (const key of [this.#keys.main, this.#keys.copy])
      await deleteObject(this.#options.store, key, options);
  }

  async #change(change: (state: StoreState) => StoreState, options: StoreCallOptions): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const objects = await this.#list(options);
      const known = await this.#readObjects(objects, options);
      const before = known.isLost ? { ...known.state, marks: await this.#allHeld(options) } : known.state;
      const after = change(before);
      if (after === before) return;
      try {
        const isVital = after.marks !== before.marks || after.places !== before.places || known.isLost;
        await this.#put(objects, after, { isVital, isOwners: after.doomed !== before.doomed }, options);
        return;
      } catch (error) {
        if (!isSessionError(error) || error.code !== 'STORE_CONFLICT') throw error;
      }
    }
    throw new SessionError('INTERNAL', `another process changed the marks of the logins ${ATTEMPTS} times`, {
      retryable: true,
    });
  }

  async #put(
    { main, copy }: Objects,
    state: StoreState,
    { isVital, isOwners }: { readonly isVital: boolean; readonly isOwners: boolean },
    options: StoreCallOptions,
  ): Promise<void> {
    const { store, recordStore } = this.#options;
    // Without conditions, only the owner changes it: the change of another process would undo ours.
    const to = isVital || isOwners || !recordStore.capabilities.conditionalPut ? store : recordStore;
    const bytes = serializeState(state);
    const condition = (info: ObjectInfo | undefined): PutOptions =>
      to.capabilities.conditionalPut
        ? { ...options, ...(info === undefined ? { ifAbsent: true } : { ifVersion: info.version }) }
        : options;
    let copyVersion = copy?.version;
    if (isVital || copy === undefined) {
      copyVersion = (await putVerified(to, this.#keys.copy, bytes, condition(copy))).version;
    }
    const { version } = await putVerified(to, this.#keys.main, bytes, condition(main));
    this.#known = { versions: versionsOf(version, copyVersion), state, isLost: false };
  }

  async #list(options: StoreCallOptions): Promise<Objects> {
    const prefix = `${this.#options.clientId}/state`;
    const infos = await listAll(this.#options.recordStore, prefix, options);
    const find = (key: string) => infos.find((info) => info.key === key);
    return { main: find(this.#keys.main), copy: find(this.#keys.copy) };
  }

  async #readObjects(
    { main, copy }: Objects,
    options: StoreCallOptions,
  ): Promise<{ readonly state: StoreState; readonly isLost: boolean }> {
    const versions = versionsOf(main?.version, copy?.version);
    if (this.#known?.versions === versions) return this.#known;
    let isDamaged = false;
    let isGone = false;
    let fault: { readonly error: unknown } | undefined;
    let state: StoreState | undefined;
    for (const info of [main, copy]) {
      if (info === undefined || state !== undefined) continue;
      const found = await this.#readOne(info, options);
      if (found === 'damaged') isDamaged = true;
      else if (found !== undefined && 'fault' in found) fault = found.fault;
      else if (found === undefined) isGone = true;
      else state = found;
    }
    // What can't be read may say that a login has ended.
    if (state === undefined && fault !== undefined) throw fault.error;
    // Damage of one whose copy is gone: nobody knows what it said.
    const known = { versions, state: state ?? NO_STATE, isLost: isDamaged && state === undefined };
    if (!isGone && fault === undefined) this.#known = known; // what can't be read now may be readable later
    return known;
  }

  async #readOne(
    { key }: ObjectInfo,
    options: StoreCallOptions,
  ): Promise<StoreState | undefined | 'damaged' | { readonly fault: { readonly error: unknown } }> {
    let bytes: Buffer | undefined;
    try {
      bytes = await readStart(this.#options.recordStore, key, MAX_STATE_BYTES + 1, options);
      this.#withheld.delete(key);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!isReadFault(error)) throw error;
      if (!this.#withheld.has(key)) this.#options.onDamage(key, error);
      this.#withheld.add(key);
      return { fault: { error } };
    }
    if (bytes === undefined) return undefined;
    try {
      return parseState(bytes);
    } catch (error) {
      this.#options.onDamage(key, error);
      return 'damaged';
    }
  }

  async #allHeld(options: StoreCallOptions): Promise<LineageMarks> {
    const at = new Date(0).toISOString();
    let marks = NO_MARKS;
    for (const lineage of await this.#options.lineages(options)) {
      marks = withMark(marks, 'held', { lineage, cause: 'unknown', at });
    }
    return marks;
  }
}

/** Whether the key is that of the state of a client id, or of its copy. */
export function isStateKey(clientId: string, key: string): boolean {
  const { main, copy } = keysOf(clientId);
  return key === main || key === copy;
}

function keysOf(clientId: string): { readonly main: string; readonly copy: string } {
  return { main: `${clientId}/state.json`, copy: `${clientId}/state-copy.json` };
}

function versionsOf(main = '', copy = ''): string {
  return `${main}\n${copy}`;
}

import type { PageState } from '../../simulator/client.js';

/** What a snapshot may hold: it was taken when between `atLeast` and all of these messages were stored. */
interface Remembered {
  readonly messages: readonly string[];
  readonly atLeast: number;
}

/** What a bot must still have after whatever happened to it: the old state, or the new one, whole. */
export class Memory {
  #deviceId: string | undefined;
  /** Ids of the messages that the profile holds, oldest first. */
  #messages: readonly string[] = [];
  #countAtLastLook = 0;
  readonly #snapshots = new Map<string, Remembered>();
  /** Snapshots whose state may have come back. */
  #allowed: readonly Remembered[] = [];
  #oldIsLost = false;
  #heard: readonly string[] = [];

  get snapshotIds(): readonly string[] {
    return [...this.#snapshots.keys()];
  }

  /** A new login: nothing of the earlier one counts. */
  paired(deviceId: string | undefined): void {
    this.#deviceId = deviceId;
    this.#messages = [];
    this.#countAtLastLook = 0;
    this.begin();
  }

  /** The page has stored a message in IndexedDB, which survives a kill (docs/chromium-facts.md F1.5). */
  stored(id: string): void {
    this.#messages = [...this.#messages, id];
  }

  /** These snapshots are listed, and no other. */
  seen(ids: readonly string[]): void {
    for (const id of this.#snapshots.keys()) if (!ids.includes(id)) this.#snapshots.delete(id);
    for (const id of ids) {
      if (this.#snapshots.has(id)) continue;
      this.#snapshots.set(id, { messages: this.#messages, atLeast: this.#countAtLastLook });
    }
    this.#countAtLastLook = this.#messages.length;
  }

  /** An operation begins that must change nothing, unless `allow` or `lose` says otherwise. */
  begin(): void {
    this.#allowed = [];
    this.#oldIsLost = false;
    this.#heard = [];
  }

  /** The state of one of these snapshots may come in place of the present one. */
  allow(ids: readonly string[]): void {
    this.#allowed = ids.flatMap((id) => this.#snapshots.get(id) ?? []);
  }

  /** The profile is lost: only a snapshot can come back. */
  lose(): void {
    this.allow(this.snapshotIds);
    this.#oldIsLost = true;
  }

  /** What the killed process told of restores. */
  heard(what: readonly string[]): void {
    this.#heard = what;
  }

  /** What is wrong with the login that came up. Whatever it is, it is the state from now on. */
  judge(page: PageState, heard: readonly string[]): string[] {
    const found = page.messages.map(({ id }) => id);
    const wanted = this.#messages;
    const isOld = !this.#oldIsLost && sameSet(found, wanted);
    const isNew = this.#allowed.some(
      ({ messages, atLeast }) => found.length >= atLeast && sameSet(found, messages.slice(0, found.length)),
    );
    const why = [...this.#heard, ...heard].join(' | ') || 'nothing was restored';
    const problems: string[] = [];
    if (!isOld && !isNew) {
      const missing = wanted.filter((id) => !found.includes(id)).length;
      problems.push(
        `neither the old state nor the new one: ${found.length} messages, ${missing} lost; ${why}`,
      );
    }
    if (page.deviceId !== this.#deviceId) problems.push('it is another login');
    this.#messages = isOld ? wanted : found;
    this.#countAtLastLook = Math.min(this.#countAtLastLook, found.length);
    return problems;
  }
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}

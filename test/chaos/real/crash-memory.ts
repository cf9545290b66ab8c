import type { PageState } from '../../simulator/client.js';

/** The possible content of a snapshot: it was taken when between `atLeast` and all of these messages were stored. */
interface Remembered {
  readonly messages: readonly string[];
  readonly atLeast: number;
}

/** What a bot must still have after a kill: the complete old state, or the complete new one. */
export class Memory {
  #deviceId: string | undefined;
  /** Ids of the messages in the profile, oldest first. */
  #messages: readonly string[] = [];
  #countAtLastLook = 0;
  readonly #snapshots = new Map<string, Remembered>();
  /** Snapshots whose state may have been restored. */
  #allowed: readonly Remembered[] = [];
  #oldIsLost = false;
  #heard: readonly string[] = [];

  get snapshotIds(): readonly string[] {
    return [...this.#snapshots.keys()];
  }

  /** Begins with a new login and forgets the earlier one. */
  paired(deviceId: string | undefined): void {
    this.#deviceId = deviceId;
    this.#messages = [];
    this.#countAtLastLook = 0;
    this.begin();
  }

  /** Notes a message that the page has stored in IndexedDB, which survives a kill (docs/chromium-facts.md F1.5). */
  stored(id: string): void {
    this.#messages = [...this.#messages, id];
  }

  /** Notes that exactly these snapshots are listed. */
  seen(ids: readonly string[]): void {
    for (const id of this.#snapshots.keys()) if (!ids.includes(id)) this.#snapshots.delete(id);
    for (const id of ids) {
      if (this.#snapshots.has(id)) continue;
      this.#snapshots.set(id, { messages: this.#messages, atLeast: this.#countAtLastLook });
    }
    this.#countAtLastLook = this.#messages.length;
  }

  /** Begins an operation that must change nothing, unless `allow` or `lose` says otherwise. */
  begin(): void {
    this.#allowed = [];
    this.#oldIsLost = false;
    this.#heard = [];
  }

  /** Allows the state of one of these snapshots to replace the present one. */
  allow(ids: readonly string[]): void {
    this.#allowed = ids.flatMap((id) => this.#snapshots.get(id) ?? []);
  }

  /** Notes that the profile is lost, so that only a snapshot can come back. */
  lose(): void {
    this.allow(this.snapshotIds);
    this.#oldIsLost = true;
  }

  /** Notes what the killed process reported about restores. */
  heard(what: readonly string[]): void {
    this.#heard = what;
  }

  /** Returns what is wrong with the login of the new start, and expects this login from now on in any case. */
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

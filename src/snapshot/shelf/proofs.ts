import type { TailContent } from '../tail/snapshot-tail.js';
import { type Copy, copyOf, packsIn, type Stock, whereIn } from './stock.js';

/**
 * What this process has found out about the stored copies of contents: those whose bytes it has compared with their
 * SHA-256, and those whose bytes were wrong when they were last read.
 */
export class Proofs {
  readonly #proven = new Map<string, Copy & { readonly at: string }>();
  /** By SHA-256. A content may have several copies, of which only one is damaged. */
  readonly #refuted = new Map<string, Set<string>>();
  readonly #doubtful = new Set<string>();

  /**
   * @param copy `undefined` where it is not known which one was read
   * @param at ISO 8601
   */
  prove(sha256: string, copy: Copy | undefined, at: string): void {
    if (copy === undefined) return;
    this.#refuted.get(sha256)?.delete(nameOf(copy));
    this.#proven.set(sha256, { ...copy, at });
  }

  refute(sha256: string, copy: Copy | undefined): void {
    if (copy === undefined) return;
    if (this.isProven(sha256, copy)) this.#proven.delete(sha256);
    for (const pack of packsIn(copy)) this.#doubtful.add(pack);
    const refuted = this.#refuted.get(sha256) ?? new Set();
    this.#refuted.set(sha256, refuted.add(nameOf(copy)));
  }

  isProven(sha256: string, copy: Copy): boolean {
    const proven = this.#proven.get(sha256);
    return proven !== undefined && nameOf(proven) === nameOf(copy);
  }

  isRefuted(sha256: string, copy: Copy): boolean {
    return this.#refuted.get(sha256)?.has(nameOf(copy)) === true;
  }

  /** Whether bytes of a pack were wrong: nothing new is built upon it. */
  isDoubtful(pack: string): boolean {
    return this.#doubtful.has(pack);
  }

  /** Call with contents that were put beside a save, and compared: each is proven since that, or since its beginning is. */
  adopt(contents: readonly TailContent[], stock: Stock): void {
    for (const { older, at, ...content } of contents) {
      const since = older === undefined ? at : this.atOf(older.sha256, whereIn(older.place));
      const copy = copyOf(content, content.place, stock);
      const isKnownBad = copy !== undefined && this.isRefuted(content.sha256, copy);
      if (since !== undefined && !isKnownBad) this.prove(content.sha256, copy, since);
    }
  }

  /** The time since which a copy in this place is proven; `undefined` if it is not. */
  atOf(sha256: string, where: string): string | undefined {
    const proven = this.#proven.get(sha256);
    return proven?.where === where ? proven.at : undefined;
  }

  /**
   * The time since which the copies of these contents in these places are proven; `undefined` if one is not.
   *
   * @param contents by SHA-256, and where a copy may lie
   */
  provenAt(contents: Iterable<readonly [sha256: string, where: readonly string[]]>): string | undefined {
    let earliest: string | undefined;
    for (const [sha256, where] of contents) {
      const proven = this.#proven.get(sha256);
      if (proven === undefined || !where.includes(proven.where)) return undefined;
      if (earliest === undefined || proven.at < earliest) earliest = proven.at;
    }
    return earliest;
  }
}

function nameOf({ where, version }: Copy): string {
  return `${where}\n${version}`;
}

import type { Clock } from '../../clock.js';

/** A lineage's name: when it began and something random, so that lineages sort by age for a human. */
export function newLineageAfter({
  clock,
  random,
}: {
  readonly clock: Clock;
  readonly random: () => number;
}): string {
  const day = new Date(clock.now()).toISOString().slice(0, 10).replaceAll('-', '');
  const suffix = Math.floor(random() * 0x1_0000_0000)
    .toString(16)
    .padStart(8, '0');
  return `${day}-${suffix}`;
}

/** An old session that was taken over: what it held (`contentDigest`) and where it lay (`placeOf`). */
export interface ImportMark {
  readonly content: string;
  readonly place: string;
}

const IMPORTED = /-i([0-9a-f]{32})([0-9a-f]{16})$/;

/**
 * The name of a lineage that begins with an import. It says what was taken over: so do all its snapshots, in every store, and
 * its revocation, also when the record and the snapshot of the import itself are gone.
 */
export function importedLineage(lineage: string, { content, place }: ImportMark): string {
  return `${lineage}-i${content.slice(0, 32)}${place}`;
}

/** What a lineage began with; `undefined` where that was no import. */
export function importOf(lineage: string): ImportMark | undefined {
  const [, content, place] = IMPORTED.exec(lineage) ?? [];
  return content === undefined || place === undefined ? undefined : { content, place };
}

export function isSameContent(mark: ImportMark, content: string): boolean {
  return mark.content.slice(0, 32) === content.slice(0, 32);
}

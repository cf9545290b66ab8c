import type { Clock } from '../../clock.js';

/** A new lineage's name: its start time and a random part, so that lineages sort by age for a human. */
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

/** An imported old session: its content (`contentDigest`) and its place (`placeOf`). */
export interface ImportMark {
  readonly content: string;
  readonly place: string;
}

const IMPORTED = /-i([0-9a-f]{32})([0-9a-f]{16})$/;

/**
 * The name of a lineage that begins with an import. It tells what was imported. So all its snapshots in every store
 * tell it, and so does its revocation, even when the record and the import's own snapshot are gone.
 */
export function importedLineage(lineage: string, { content, place }: ImportMark): string {
  return `${lineage}-i${content.slice(0, 32)}${place}`;
}

/** The import with which a lineage began; `undefined` when it did not begin with one. */
export function importOf(lineage: string): ImportMark | undefined {
  const [, content, place] = IMPORTED.exec(lineage) ?? [];
  return content === undefined || place === undefined ? undefined : { content, place };
}

export function isSameContent(mark: ImportMark, content: string): boolean {
  return mark.content.slice(0, 32) === content.slice(0, 32);
}

import type { SessionContext } from './session-context.js';

/** A lineage's name: when it began and something random, so that lineages sort by age for a human. */
export function newLineageAfter({ clock, random }: Pick<SessionContext, 'clock' | 'random'>): string {
  const day = new Date(clock.now()).toISOString().slice(0, 10).replaceAll('-', '');
  const suffix = Math.floor(random() * 0x1_0000_0000)
    .toString(16)
    .padStart(8, '0');
  return `${day}-${suffix}`;
}

import { ConfigurationError } from '../errors.js';
import { show } from './checks.js';

/**
 * Refuses every key that is not an option, and suggests the one that was probably meant. The key's value is never
 * shown.
 */
export function refuseUnknown(given: object, known: readonly string[], prefix = ''): void {
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue;
    const meant = closest(key, known);
    const hint = meant ? `did you mean '${prefix}${meant}'?` : `known are: ${known.join(', ')}`;
    throw new ConfigurationError(`unknown option ${show(`${prefix}${key}`)}; ${hint}`);
  }
}

/** The known name with the fewest differences from `key`; `undefined` when more than one letter in four differs. */
function closest(key: string, known: readonly string[]): string | undefined {
  const spelled = plain(key.slice(0, 100));
  const ranked = known
    .map((name) => ({ name, distance: editDistance(spelled, plain(name)) }))
    .sort((one, other) => one.distance - other.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= Math.max(1, Math.floor(best.name.length / 4))
    ? best.name
    : undefined;
}

/** Makes `SESSION_TIMEOUT_MS`, `session-timeout-ms` and `sessionTimeoutMS` equal, as a reader sees them. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z\d]/g, '');
}

/** The Levenshtein distance of two texts. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [line, letter] of [...from].entries()) {
    const next = [line + 1];
    for (const [column, other] of [...to].entries()) {
      const substitution = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(substitution, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

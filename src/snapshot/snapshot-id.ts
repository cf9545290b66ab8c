import { createHash, randomBytes } from 'node:crypto';

const ID = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})(\d{3})Z-[0-9a-f]{8}$/;

/**
 * A new snapshot's id: sorts by capture time, and is portable as a key and as a file name.
 * The random half keeps two captures apart that have the same millisecond and the same content.
 *
 * @param createdAt ISO 8601 with milliseconds, UTC
 * @example snapshotId('2026-11-23T05:14:09.123Z', digest); // '20261123T051409123Z-1a2b3c4d'
 */
export function snapshotId(
  createdAt: string,
  digest: string,
  randomness: Uint8Array | string = randomBytes(16),
): string {
  const suffix = createHash('sha256').update(digest).update(randomness).digest('hex').slice(0, 8);
  return `${compactTime(createdAt)}-${suffix}`;
}

/** Whether `text` has the form of an id. */
export function isSnapshotId(text: string): boolean {
  return ID.test(text);
}

/** `2026-11-23T05:14:09.123Z` -> `20261123T051409123Z`. */
export function compactTime(createdAt: string): string {
  return createdAt.replace(/[-:.]/g, '');
}

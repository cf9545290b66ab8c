import { createHash, randomBytes } from 'node:crypto';

const ID = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})(\d{3})Z-[0-9a-f]{8}$/;
const ID_WITHIN = /\d{8}T\d{9}Z-[0-9a-f]{8}/;

/**
 * The id of a new snapshot: it sorts by capture time, and is portable as a key and as a file name. The random half
 * distinguishes two captures with the same millisecond and the same content.
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

/** Finds the id in a file's name, for example in the name of a copy made by hand. */
export function findSnapshotId(name: string): string | undefined {
  return ID_WITHIN.exec(name)?.[0];
}

/** The capture time in an id, ISO 8601; `undefined` when it is not a valid time. */
export function timeOfId(id: string): string | undefined {
  const match = ID.exec(id);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, ms] = match;
  const time = `${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`;
  return Number.isNaN(Date.parse(time)) ? undefined : time;
}

/** `2026-11-23T05:14:09.123Z` -> `20261123T051409123Z`. */
export function compactTime(createdAt: string): string {
  return createdAt.replace(/[-:.]/g, '');
}

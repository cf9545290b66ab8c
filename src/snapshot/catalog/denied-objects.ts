import { isSessionError } from '../../errors.js';
import { isDenied } from '../../file-system.js';
import type { CatalogEntry, DamagedEntry } from './catalog-entry.js';

/**
 * When only some files are denied to this process, somebody else put them there, so they are skipped. When all
 * files are denied, the store itself can't be read.
 */
export function assertNotAllDenied(found: readonly (CatalogEntry | DamagedEntry | undefined)[]): void {
  const denied = found.find((entry) => entry !== undefined && isDeniedEntry(entry));
  if (denied === undefined || !('error' in denied)) return;
  if (!found.some((entry) => entry !== undefined && !isDeniedEntry(entry))) throw denied.error;
}

export function isDeniedEntry(entry: CatalogEntry | DamagedEntry): boolean {
  return 'error' in entry && isDeniedObject(entry.error);
}

/** Whether the system denies reading a file of a local store. Trying again does not help. */
export function isDeniedObject(error: unknown): boolean {
  return isSessionError(error) && error.code === 'STORE' && isDenied(error.cause);
}

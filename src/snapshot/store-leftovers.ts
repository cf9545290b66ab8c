import { isSessionError, StoreError } from '../errors.js';
import type { SessionStore } from '../stores/session-store.js';
import type { SweepResult } from './repository.js';

/** What a store on a local disk offers beside the contract (`FileSystemStore`). */
interface TemporariesSweeper {
  sweepTemporaries(): Promise<{ readonly count: number; readonly bytes: number }>;
}

/** Removes what killed writers left in a store, where the store knows of such a thing. */
export async function sweepTemporariesOf(store: SessionStore): Promise<SweepResult> {
  if (!isSweeper(store)) return { freedBytes: 0, files: 0 };
  try {
    const { count, bytes } = await store.sweepTemporaries();
    return { freedBytes: bytes, files: count };
  } catch (error) {
    throw isSessionError(error)
      ? error
      : new StoreError(`${store.name} could not be swept`, { cause: error });
  }
}

export function isSweeper(store: SessionStore): store is SessionStore & TemporariesSweeper {
  return typeof (store as Partial<TemporariesSweeper>).sweepTemporaries === 'function';
}

import { describeError, errnoOf, isSessionError, StoreError } from '../../errors.js';
import type { SessionStore } from '../../stores/session-store.js';
import type { SweepResult } from '../repository.js';

/** The additional method of a store on a local disk (`FileSystemStore`). */
interface TemporariesSweeper {
  sweepTemporaries(): Promise<{ readonly count: number; readonly bytes: number }>;
}

/** Removes unfinished files of killed writers, in stores that support it. */
export async function sweepTemporariesOf(store: SessionStore): Promise<SweepResult> {
  if (!isSweeper(store)) return { freedBytes: 0, files: 0 };
  try {
    const { count, bytes } = await store.sweepTemporaries();
    return { freedBytes: bytes, files: count };
  } catch (error) {
    throw isSessionError(error)
      ? error
      : new StoreError(
          `${store.name} could not be swept: ${errnoOf(error) ?? describeError(error).message}`,
          { cause: error },
        );
  }
}

export function isSweeper(store: SessionStore): store is SessionStore & TemporariesSweeper {
  return typeof (store as Partial<TemporariesSweeper>).sweepTemporaries === 'function';
}

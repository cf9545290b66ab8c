import { orAborted } from '../../clock.js';
import { errnoOf, isSessionError } from '../../errors.js';
import type { SkipReason } from '../../events.js';
import type { SaveResult } from '../../results.js';
import type { CapturedTree, CaptureMode, SnapshotContext } from '../../types.js';

export interface SaveRequest {
  readonly kind: 'save' | 'backup';
  readonly capture: CaptureMode;
  /** Of a cold capture: whether the browser closed by itself, so that everything had reached the disk. */
  readonly orderly?: boolean;
  readonly signal: AbortSignal;
}

/** What a copy that was taken came to. */
export type Taken = Extract<SaveResult, { readonly snapshot: unknown }>;

export const UNCHANGED = { reason: 'unchanged' } as const;

/** Runs work alone at the profile. */
export type InTurn = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** A copy of the profile, to be stored and then removed. */
export interface Captured {
  readonly tree: CapturedTree;
  readonly context: SnapshotContext;
  /** Its folder. */
  readonly staging: string;
}

// A store that ignores the abort must not hold the queue. Aborted before: then it is skipped as not ready.
export function inTime<T>({ signal }: SaveRequest, work: () => Promise<T>): Promise<T> {
  return signal.aborted ? work() : orAborted(work(), signal);
}

/** Not known in time; anything else is a failure. */
export function passTimeout(error: unknown): undefined {
  if (!isSessionError(error) || error.code !== 'TIMEOUT') throw error;
}

/** What is no failure of the save, but a reason not to take one. */
export function reasonToSkip(error: unknown): SkipReason | undefined {
  if (isSessionError(error) && error.code === 'PROFILE_UNSOUND') return 'unsound';
  return errnoOf(rootCause(error)) === 'ENOSPC' ? 'no-space' : undefined;
}

/** What is underneath all the others. */
export function rootCause(error: unknown): unknown {
  let current = error;
  for (let depth = 0; depth < 10 && current instanceof Error && current.cause !== undefined; depth++) {
    current = current.cause;
  }
  return current;
}

/** What the browser's profile held, and when the copy of it was begun. */
export interface LiveCopy {
  readonly tree: CapturedTree;
  readonly createdAt: string;
  readonly dataVersion: string | undefined;
}

import { orAborted } from '../../clock.js';
import { errnoOf, isSessionError } from '../../errors.js';
import type { SkipReason } from '../../events.js';
import type { KeptBase } from '../../profile/follow/kept-base.js';
import type { SaveResult } from '../../results.js';
import type { CapturedTree, CaptureMode, SnapshotContext } from '../../types.js';

export interface SaveRequest {
  readonly kind: 'save' | 'backup';
  readonly capture: CaptureMode;
  /** For a cold capture: whether the browser closed by itself, so that everything had reached the disk. */
  readonly orderly?: boolean;
  readonly signal: AbortSignal;
}

/** The result of a copy that was taken. */
export type Taken = Extract<SaveResult, { readonly snapshot: unknown }>;

export const UNCHANGED = { reason: 'unchanged' } as const;

/** Runs work on the profile exclusively. */
export type InTurn = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** A copy of the profile, to be stored and then removed. */
export interface Captured {
  readonly tree: CapturedTree;
  readonly context: SnapshotContext;
  /** The folder of the copy. */
  readonly staging: string;
  /** The base that the copy followed or made. */
  readonly base: KeptBase | undefined;
}

// Rejects when the signal aborts, so that a store that ignores the abort does not block the queue. If it was already
// aborted, the work itself skips the save as not ready.
export function inTime<T>({ signal }: SaveRequest, work: () => Promise<T>): Promise<T> {
  return signal.aborted ? work() : orAborted(work(), signal);
}

/** Turns a timeout into `undefined` (unknown); any other error is a failure. */
export function passTimeout(error: unknown): undefined {
  if (!isSessionError(error) || error.code !== 'TIMEOUT') throw error;
}

/** The reason to skip the save, if the error is one and no failure. */
export function reasonToSkip(error: unknown): SkipReason | undefined {
  if (isSessionError(error) && error.code === 'PROFILE_UNSOUND') return 'unsound';
  return errnoOf(rootCause(error)) === 'ENOSPC' ? 'no-space' : undefined;
}

/** The innermost cause of an error. */
export function rootCause(error: unknown): unknown {
  let current = error;
  for (let depth = 0; depth < 10 && current instanceof Error && current.cause !== undefined; depth++) {
    current = current.cause;
  }
  return current;
}

/** A copy of the browser's profile, and when the copy was begun. */
export interface LiveCopy {
  readonly tree: CapturedTree;
  readonly createdAt: string;
  readonly dataVersion: string | undefined;
  readonly base: KeptBase | undefined;
}

import type { Figures } from '../support/figures.js';
import type { Operation, Side } from '../support/operations.js';

/** What a child process is asked for. */
export interface Order {
  readonly side: Side;
  readonly operation: Operation;
  /** `prepare` stores what an operation after a restart finds; `measure` does the operation. */
  readonly step: 'prepare' | 'measure';
  /** Everything of the bot lies below it. */
  readonly folder: string;
  /** The two states of the profile, to be read only. */
  readonly before: string;
  readonly after: string;
  /** Addresses of the built package, and the path of RemoteAuth's own code. */
  readonly library: string;
  readonly testing: string;
  readonly remoteAuth: string;
}

/** What it tells. */
export type Told =
  | { readonly told: 'prepared' }
  | { readonly told: 'measured'; readonly figures: Figures; readonly isSame: boolean }
  | { readonly told: 'failed'; readonly error: string };

/** Where the profile of a side lies below its folder. */
export function profileIn(side: Side, folder: string): string {
  return side === 'ours' ? `${folder}/auth/session-bot` : `${folder}/auth/RemoteAuth-bot`;
}

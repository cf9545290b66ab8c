import type { Figures } from '../support/figures.js';
import type { Operation, Side } from '../support/operations.js';

/** The order that a child process gets. */
export interface Order {
  readonly side: Side;
  readonly operation: Operation;
  /** `prepare` stores the data for an operation after a restart; `measure` runs the operation. */
  readonly step: 'prepare' | 'measure';
  /** The folder that contains everything of the bot. */
  readonly folder: string;
  /** The two states of the profile, which must only be read. */
  readonly before: string;
  readonly after: string;
  /** Addresses of the built package, and the path of RemoteAuth's own code. */
  readonly library: string;
  readonly testing: string;
  readonly remoteAuth: string;
}

/** The message that a child process answers with. */
export type Told =
  | { readonly told: 'prepared' }
  | { readonly told: 'measured'; readonly figures: Figures; readonly isSame: boolean }
  | { readonly told: 'failed'; readonly error: string };

/** Where the profile of a side lies below its folder. */
export function profileIn(side: Side, folder: string): string {
  return side === 'ours' ? `${folder}/auth/session-bot` : `${folder}/auth/RemoteAuth-bot`;
}

import type { LostStateCause } from './lost-state.js';
import type { StartObstacle } from './start-error.js';

/** How a start of the client ended. */
export type StartOutcome =
  | { readonly kind: 'ready' }
  /** A QR or pairing code was delivered to the bot. */
  | { readonly kind: 'pairing' }
  /** A QR or pairing code came but was not delivered to the bot. */
  | { readonly kind: 'pairing-held' }
  /** WhatsApp answered with a logout. */
  | { readonly kind: 'logged-out' }
  /** The client finally gave up: `auth_failure`, or all its QR codes were used. */
  | {
      readonly kind: 'gave-up';
      readonly cause: 'auth-failure' | 'qr-retries-used' | 'conflict';
      /** The message that came with it. */
      readonly detail?: string | undefined;
    }
  | FailedStart;

export interface FailedStart {
  readonly kind: 'failed';
  readonly cause: StartFailure;
  readonly error: Error;
  /** Whether the browser loaded a page of WhatsApp, which shows that the network works. */
  readonly reachedPage: boolean;
  /** Why a retry can't help, if known. */
  readonly obstacle?: StartObstacle;
  /** Whether the start waits until a server answers: that of a store or of the web cache. */
  readonly awaitsServer?: boolean;
}

export type StartFailure =
  | 'start-failed'
  | 'network-down'
  | 'never-ready'
  | 'browser-gone'
  | 'page-crashed'
  | LostStateCause;

import type { DisconnectCause } from '../events.js';

/** From `initialize()` to the stop. */
export class Run {
  readonly abort = new AbortController();
  /** Settles when the present start (the first one or a reconnect) does. */
  settled: Promise<void> = Promise.resolve();
  /** Whether a start is under way: its watch decides then, not this class. */
  isStarting = true;
  /** Whether a QR or code was delivered since the last `ready`: then the next one is of a new pairing. */
  isPairing = false;
  /** A loss that came in the moment between `ready` and the end of the start. */
  pendingLoss: DisconnectCause | undefined;
  /** Why it stopped by itself. */
  endedBy: Error | undefined;
}

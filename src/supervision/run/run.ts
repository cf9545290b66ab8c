import type { ClientEvent } from '../../client/client-event.js';

/** From `initialize()` to the stop. */
export class Run {
  readonly abort = new AbortController();
  /** Settles when the present start (the first one or a reconnect) does. */
  settled: Promise<void> = Promise.resolve();
  /** Whom a failure of the present start would reach: each says whether it still does. */
  audience: (() => boolean)[] = [];
  /** Whether a start is under way: its watch decides then, not this class. */
  isStarting = true;
  /** Whether a QR or code was delivered since the last `ready`: then the next one is of a new pairing. */
  isPairing = false;
  /** What came in the moment between `ready` (or a QR) and the end of the start. */
  pending: ClientEvent | undefined;
  /** Whether the session was ready since the browser was last started: what lies on the disk is worth a save. */
  wasReady = false;
  /** Whether it is only halted, for a call that replaces the profile: another run follows, and who waits for this one waits for that. */
  isHalted = false;
  /** Why it stopped by itself. */
  endedBy: Error | undefined;
}

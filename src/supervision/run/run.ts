import type { ClientEvent } from '../../client/client-event.js';

/** One run of the session, from `initialize()` to the stop. */
export class Run {
  readonly abort = new AbortController();
  /** Settles when the current start (the first one or a reconnect) does. */
  settled: Promise<void> = Promise.resolve();
  /** One check for each caller: whether it would still see the current start fail. */
  observers: (() => boolean)[] = [];
  /** Whether a start is running. Then the start handles the events, not the supervisor. */
  isStarting = true;
  /** Whether a QR or code was delivered since the last `ready`. Then the next `ready` is of a new pairing. */
  isPairing = false;
  /** An event between `ready` (or a QR) and the end of the start. */
  pending: ClientEvent | undefined;
  /**
   * Whether the session was ready since the last launch of the browser. Then the profile on the disk is worth a save.
   */
  wasReady = false;
  /**
   * Whether the run is only halted, for a call that replaces the profile. Another run follows, and callers that wait
   * for this one then wait for that one.
   */
  isHalted = false;
  /**
   * Whether the session stops once a logout is written down. Whoever asks for a start meanwhile, for example the bot at
   * `disconnected`, gets one after the stop.
   */
  stopsAfterLogout = false;
  /** Why the run stopped without a call. */
  endedBy: Error | undefined;

  /** Call for each start, the first one and each reconnect. */
  follow(start: Promise<void>): void {
    this.settled = start;
    this.observers = [];
  }
}

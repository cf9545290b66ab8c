import type { Clock, TimerHandle } from '../clock.js';
import type { StreamEventName, StreamEvents } from './contract.js';
import { HttpError, tooMany } from './errors.js';
import { EventRing, unnumbered } from './event-ring.js';
import type { Redactor } from './redact.js';

const HEARTBEAT_MS = 15_000;
/** How long a browser waits before it reconnects. */
const RETRY_MS = 3000;
/** How far a reader may be behind: the whole ring at the start, and a little more. */
const MAX_BEHIND_BYTES = 512 * 1024;

export interface EventStreamsParts {
  readonly clock: Clock;
  readonly maxStreams: number;
  readonly redactor: Redactor;
}

/** Whether a listener may continue to listen. */
export interface Admission {
  /** Checked before each event is sent. */
  readonly isAllowed: () => boolean;
  /** Checked at every heartbeat, because this check may take a while. */
  readonly isStillAllowed?: () => Promise<boolean>;
}

interface Stream extends Admission {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
}

/** Sends every event to all listeners as server-sent events. Memory is limited, however slowly a listener reads. */
export class EventStreams {
  readonly #parts: EventStreamsParts;
  readonly #ring = new EventRing();
  readonly #streams = new Set<Stream>();
  readonly #heartbeat = new TextEncoder().encode(': heartbeat\n\n');
  #timer: TimerHandle | undefined;
  #isClosed = false;

  constructor(parts: EventStreamsParts) {
    this.#parts = parts;
  }

  /** The number of open streams. */
  get size(): number {
    return this.#streams.size;
  }

  /** Sends an event to all streams, and remembers it for streams that reconnect. */
  readonly announce = <Name extends StreamEventName>(name: Name, payload: StreamEvents[Name]): void => {
    const { bytes } = this.#ring.add(name, this.#parts.redactor.json(payload));
    for (const stream of this.#streams) this.#send(stream, bytes);
  };

  /**
   * Opens a new stream.
   *
   * @param lastEventId the last event that a reconnecting stream has received; it gets the events after it
   * @param admission a stream that is not allowed any more is closed
   * @throws HttpError 429, or 503 once it is closed
   */
  open(lastEventId: string | null, admission: Admission): Response {
    if (this.#isClosed) throw new HttpError(503, 'NOT_READY', 'the server is closing');
    if (this.#streams.size >= this.#parts.maxStreams) {
      throw tooMany('TOO_MANY_STREAMS', `${this.#parts.maxStreams} streams are open`, HEARTBEAT_MS);
    }
    const missed = lastEventId === null ? undefined : this.#ring.after(lastEventId);
    const opened: StreamEvents['stream:opened'] = { resumed: missed !== undefined };
    let stream: Stream | undefined;
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          stream = { ...admission, controller };
          this.#streams.add(stream);
          this.#send(stream, new TextEncoder().encode(`retry: ${RETRY_MS}\n\n`));
          this.#send(stream, unnumbered('stream:opened', JSON.stringify(opened)));
          for (const { bytes } of missed ?? []) this.#send(stream, bytes);
        },
        cancel: () => {
          if (stream) this.#streams.delete(stream);
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: MAX_BEHIND_BYTES }),
    );
    this.#beatSoon();
    return new Response(body, {
      headers: {
        'Content-Type': 'text/event-stream; charset=utf-8',
        // Without `no-transform`, middleware that compresses would hold events back until it has enough of them.
        'Cache-Control': 'no-store, no-transform',
        'X-Accel-Buffering': 'no', // tells nginx not to hold events back
      },
    });
  }

  /** Closes the streams of callers who are not allowed any more. */
  closeUnwelcome(): void {
    for (const stream of this.#streams) if (!stream.isAllowed()) this.#end(stream);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== undefined) this.#parts.clock.clearTimeout(this.#timer);
    for (const stream of this.#streams) this.#end(stream);
  }

  /** Drops a reader that is too far behind, together with its waiting events. It reconnects and resumes. */
  #send(stream: Stream, bytes: Uint8Array): void {
    if (!stream.isAllowed()) return this.#end(stream);
    const { desiredSize } = stream.controller;
    if (desiredSize !== null && desiredSize >= bytes.byteLength) return stream.controller.enqueue(bytes);
    this.#streams.delete(stream);
    stream.controller.error(new Error('the reader was too slow'));
  }

  #beat(stream: Stream): void {
    this.#send(stream, this.#heartbeat);
    stream.isStillAllowed?.().then(
      (isAllowed) => {
        if (!isAllowed) this.#end(stream);
      },
      () => this.#end(stream),
    );
  }

  /** Idempotent. */
  #end(stream: Stream): void {
    if (this.#streams.delete(stream)) stream.controller.close();
  }

  #beatSoon(): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    this.#timer = this.#parts.clock.setTimeout(() => {
      this.#timer = undefined;
      for (const stream of this.#streams) this.#beat(stream);
      if (this.#streams.size > 0) this.#beatSoon();
    }, HEARTBEAT_MS);
  }
}

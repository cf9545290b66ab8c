import type { Clock, TimerHandle } from '../clock.js';
import type { StreamEventName, StreamEvents } from './contract.js';
import { HttpError, tooMany } from './errors.js';
import { EventRing, unnumbered } from './event-ring.js';
import type { Redactor } from './redact.js';

const HEARTBEAT_MS = 15_000;
/** Where a browser reconnects. */
const RETRY_MS = 3000;
/** What a reader may be behind: the whole ring at its start, and some more. */
const MAX_BEHIND_BYTES = 512 * 1024;

export interface EventStreamsParts {
  readonly clock: Clock;
  readonly maxStreams: number;
  readonly redactor: Redactor;
}

/** Whether who listens may go on listening. */
export interface Admission {
  /** Asked before everything that is sent. */
  readonly isAllowed: () => boolean;
  /** Asked at every heartbeat, where the answer takes a while. */
  readonly isStillAllowed?: () => Promise<boolean>;
}

interface Stream extends Admission {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
}

/** Server-sent events: everything that happens, to everybody who listens. Memory is bounded, whoever reads how slowly. */
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

  /** How many listen. */
  get size(): number {
    return this.#streams.size;
  }

  /** Tells all, and remembers it for those who come back. */
  readonly announce = <Name extends StreamEventName>(name: Name, payload: StreamEvents[Name]): void => {
    const { bytes } = this.#ring.add(name, this.#parts.redactor.json(payload));
    for (const stream of this.#streams) this.#send(stream, bytes);
  };

  /**
   * A new stream.
   *
   * @param lastEventId of a stream that comes back: it gets what it missed
   * @param admission a stream that may not go on is closed
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
        // Middleware that compresses would collect the events until there are enough of them.
        'Cache-Control': 'no-store, no-transform',
        'X-Accel-Buffering': 'no', // the same, for nginx
      },
    });
  }

  /** Closes the streams of who is not let in any more. */
  closeUnwelcome(): void {
    for (const stream of this.#streams) if (!stream.isAllowed()) this.#end(stream);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== undefined) this.#parts.clock.clearTimeout(this.#timer);
    for (const stream of this.#streams) this.#end(stream);
  }

  /** A reader that is too far behind is dropped: what waits for it is thrown away. It comes back and resumes. */
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

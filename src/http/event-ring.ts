import { randomBytes } from 'node:crypto';

const MAX_EVENTS = 256;
const MAX_BYTES = 256 * 1024;
/** One event is never longer; a stream that can't take this much is too slow. */
const MAX_EVENT_BYTES = 32 * 1024;

/** An event as it goes over the wire. */
export interface WireEvent {
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** The last events, for streams that come back. Bounded by number and by bytes. */
export class EventRing {
  /** Tells a restart of the bot: its numbers begin anew. */
  readonly #epoch = randomBytes(4).toString('hex');
  readonly #events: WireEvent[] = [];
  #bytes = 0;
  #next = 1;

  /** @param json one line */
  add(name: string, json: string): WireEvent {
    const number = this.#next++;
    const event = { number, bytes: encode(`id: ${this.#epoch}-${number}\nevent: ${name}\n`, json) };
    this.#events.push(event);
    this.#bytes += event.bytes.byteLength;
    while (this.#events.length > MAX_EVENTS || this.#bytes > MAX_BYTES) {
      this.#bytes -= this.#events.shift()?.bytes.byteLength ?? 0;
    }
    return event;
  }

  /** What came after the event with this id; `undefined` when that is not known any more, or the id is none of ours. */
  after(lastEventId: string): readonly WireEvent[] | undefined {
    const [, epoch, digits] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(lastEventId) ?? [];
    const last = Number(digits);
    if (epoch !== this.#epoch || last >= this.#next) return undefined;
    const oldest = this.#events[0]?.number ?? this.#next;
    return last + 1 < oldest ? undefined : this.#events.filter(({ number }) => number > last);
  }
}

/** An event without an id: it is not sent again. */
export function unnumbered(name: string, json: string): Uint8Array {
  return encode(`event: ${name}\n`, json);
}

function encode(head: string, json: string): Uint8Array {
  const data = Buffer.byteLength(json) > MAX_EVENT_BYTES ? '{"truncated":true}' : json;
  return new TextEncoder().encode(`${head}data: ${data}\n\n`);
}

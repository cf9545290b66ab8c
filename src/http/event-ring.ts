import { randomBytes } from 'node:crypto';

const MAX_EVENTS = 256;
const MAX_BYTES = 256 * 1024;
/** The maximum size of one event; a stream that can't take this much is too slow. */
const MAX_EVENT_BYTES = 32 * 1024;

/** An event as it is sent to streams. */
export interface WireEvent {
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** The last events, for streams that reconnect. Limited by number and by bytes. */
export class EventRing {
  /** Distinguishes restarts of the bot, because event numbers begin again after each. */
  readonly #epoch = randomBytes(4).toString('hex');
  readonly #events: WireEvent[] = [];
  #bytes = 0;
  #next = 1;

  /** @param json a single line */
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

  /** The events after the one with this id; `undefined` if they are not stored any more, or the id is unknown. */
  after(lastEventId: string): readonly WireEvent[] | undefined {
    const [, epoch, digits] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(lastEventId) ?? [];
    const last = Number(digits);
    if (epoch !== this.#epoch || last >= this.#next) return undefined;
    const oldest = this.#events[0]?.number ?? this.#next;
    return last + 1 < oldest ? undefined : this.#events.filter(({ number }) => number > last);
  }
}

/** Makes an event without an id, which is not sent again. */
export function unnumbered(name: string, json: string): Uint8Array {
  return encode(`event: ${name}\n`, json);
}

function encode(head: string, json: string): Uint8Array {
  const data = Buffer.byteLength(json) > MAX_EVENT_BYTES ? '{"truncated":true}' : json;
  return new TextEncoder().encode(`${head}data: ${data}\n\n`);
}

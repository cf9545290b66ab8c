import { SESSION_EVENT_NAMES, type StreamEventName } from '../../contract.js';
import type { StreamEvent } from './model/state.js';

const STREAM_NAMES: readonly StreamEventName[] = [
  ...SESSION_EVENT_NAMES,
  'stream:opened',
  'pairing:received',
  'pairing:dropped',
  'job:started',
  'job:completed',
  'job:failed',
];

const FIRST_RETRY_MS = 2_000;
const MAX_RETRY_MS = 30_000;

export interface LiveListener {
  onEvent(event: StreamEvent): void;
  /** The stream broke; it is opened again. */
  onLost(): void;
  /** The bot, or a proxy in front of it, answered without a stream; the stream is opened again. */
  onRefused(): void;
}

/**
 * Follows the bot's events. The browser reconnects a broken stream by itself and sends the last id. It gives up a
 * stream that was refused (the bot restarts, the login ended, too many pages), so that one is opened again here.
 */
export function followEvents(url: string, listener: LiveListener): void {
  let retryMs = FIRST_RETRY_MS;
  const open = (): void => {
    const source = new EventSource(url);
    source.onopen = () => {
      retryMs = FIRST_RETRY_MS;
    };
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED) return listener.onLost();
      listener.onRefused();
      setTimeout(open, retryMs);
      retryMs = Math.min(MAX_RETRY_MS, retryMs * 2);
    };
    for (const name of STREAM_NAMES) {
      source.addEventListener(name, ({ data }: MessageEvent<string>) => {
        const event = parse(name, data);
        if (event) listener.onEvent(event);
      });
    }
  };
  open();
}

function parse(name: StreamEventName, text: string): StreamEvent | undefined {
  try {
    return { name, data: JSON.parse(text) } as StreamEvent;
  } catch {
    return undefined; // not a message of this protocol
  }
}

import type { Caller } from './auth.js';
import type { ClientView } from './connection.js';

/** A request that found its route, and who asks. */
export interface Exchange {
  readonly request: Request;
  readonly url: URL;
  readonly client: ClientView;
  readonly caller: Caller;
  /** The last part of the path, where it names a job or a snapshot. Any text. */
  readonly id: string;
}

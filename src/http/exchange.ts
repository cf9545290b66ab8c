import type { Caller } from './auth.js';
import type { ClientView } from './connection.js';

/** A request with its route and its caller. */
export interface Exchange {
  readonly request: Request;
  readonly url: URL;
  readonly client: ClientView;
  readonly caller: Caller;
  /** The last part of the path, where it names a job or a snapshot. May be any text. */
  readonly id: string;
}

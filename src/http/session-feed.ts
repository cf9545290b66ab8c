import type { SessionEventName, SessionEventPayloads } from '../events.js';
import { SESSION_EVENT_NAMES } from './contract.js';
import type { SessionLike } from './session-like.js';

export type FeedListener = <Name extends SessionEventName>(
  name: Name,
  payload: SessionEventPayloads[Name],
) => void;

/** Listens to every event of the session; the returned function stops it. */
export function followSession(session: SessionLike, listener: FeedListener): () => void {
  const heard = SESSION_EVENT_NAMES.map((name) => {
    const hear = (payload: unknown) => listener(name, payload as never);
    session.on(name, hear);
    return () => session.off(name, hear);
  });
  return () => {
    for (const stop of heard) stop();
  };
}

import type { ClientEvent } from './client-event.js';

type Listener = (event: ClientEvent) => void;

/** Passes the client's events on to the listeners that follow a start while it lasts. */
export class ClientEvents {
  readonly #listeners = new Set<Listener>();

  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  /** Returns an unsubscribe function. */
  readonly subscribe = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  publish(event: ClientEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}

import type { ClientEvent } from './client-event.js';

type Listener = (event: ClientEvent) => void;

/** Who follows a start hears the client's events here, for as long as it lasts. */
export class ClientEvents {
  readonly #listeners = new Set<Listener>();

  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  /** Returns the function that ends it. */
  readonly subscribe = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  publish(event: ClientEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}

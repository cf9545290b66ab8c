import { EventEmitter } from 'eventemitter3';

type Listener = (...args: never[]) => unknown;

/**
 * An EventEmitter3 whose listeners can't hurt the emitter or each other: one that throws, or returns a promise
 * that rejects, is reported to {@link SafeEmitter.onListenerError} and the next one is called.
 */
export abstract class SafeEmitter<Events extends object> extends EventEmitter<Events> {
  /** The guarded form of every listener, so that `off` finds what `on` was given. */
  readonly #guarded = new WeakMap<Listener, Listener>();

  /** Called when a listener throws or rejects. Must not throw. */
  protected abstract onListenerError(event: string, error: unknown): void;

  override on<Name extends EventEmitter.EventNames<Events>>(
    event: Name,
    listener: EventEmitter.EventListener<Events, Name>,
    context?: unknown,
  ): this {
    return super.on(event, this.#guard(event, listener), context);
  }

  override addListener<Name extends EventEmitter.EventNames<Events>>(
    event: Name,
    listener: EventEmitter.EventListener<Events, Name>,
    context?: unknown,
  ): this {
    return this.on(event, listener, context);
  }

  override once<Name extends EventEmitter.EventNames<Events>>(
    event: Name,
    listener: EventEmitter.EventListener<Events, Name>,
    context?: unknown,
  ): this {
    return super.once(event, this.#guard(event, listener), context);
  }

  override off<Name extends EventEmitter.EventNames<Events>>(
    event: Name,
    listener?: EventEmitter.EventListener<Events, Name>,
    context?: unknown,
    once?: boolean,
  ): this {
    return this.removeListener(event, listener, context, once);
  }

  override removeListener<Name extends EventEmitter.EventNames<Events>>(
    event: Name,
    listener?: EventEmitter.EventListener<Events, Name>,
    context?: unknown,
    once?: boolean,
  ): this {
    const guarded = listener && this.#guarded.get(listener as Listener);
    return super.removeListener(event, (guarded ?? listener) as typeof listener, context, once);
  }

  #guard<Name extends EventEmitter.EventNames<Events>>(
    event: Name,
    listener: EventEmitter.EventListener<Events, Name>,
  ): EventEmitter.EventListener<Events, Name> {
    if (typeof listener !== 'function') throw new TypeError('The listener must be a function');
    const known = this.#guarded.get(listener as Listener);
    if (known) return known as EventEmitter.EventListener<Events, Name>;
    const report = (error: unknown) => this.onListenerError(String(event), error);
    const guarded = function (this: unknown, ...args: never[]) {
      try {
        const result = (listener as Listener).apply(this, args);
        if (result instanceof Promise) result.catch(report);
      } catch (error) {
        report(error);
      }
    };
    this.#guarded.set(listener as Listener, guarded);
    return guarded as unknown as EventEmitter.EventListener<Events, Name>;
  }
}

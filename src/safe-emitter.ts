import { EventEmitter } from 'eventemitter3';
import { swallowRejection } from './options/callbacks/swallow-rejection.js';

type Listener = (...args: never[]) => unknown;

/** Details about a failure of a listener. */
export interface ListenerFailure {
  /** Whether it happened while another failure was reported: telling listeners about it could go on for ever. */
  readonly isNested: boolean;
}

/**
 * An EventEmitter3 whose listeners can't harm the emitter or each other: when a listener throws, or returns a promise
 * that rejects, {@link SafeEmitter.onListenerError} is called, and then the next listener.
 */
export abstract class SafeEmitter<Events extends object> extends EventEmitter<Events> {
  /** The wrapped form of every listener, by event, so that `off` finds the listener that `on` was given. */
  readonly #guarded = new WeakMap<Listener, Map<unknown, Listener>>();
  #isReporting = false;

  /** Called when a listener of `event` throws or rejects. */
  protected abstract onListenerError(event: string, error: unknown, failure: ListenerFailure): void;

  /** Called for each listener, before it is added. */
  protected onListen(_event: unknown): void {}

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
    const guarded = listener && this.#guarded.get(listener as Listener)?.get(event);
    return super.removeListener(event, (guarded ?? listener) as typeof listener, context, once);
  }

  #guard<Name extends EventEmitter.EventNames<Events>>(
    event: Name,
    listener: EventEmitter.EventListener<Events, Name>,
  ): EventEmitter.EventListener<Events, Name> {
    if (typeof listener !== 'function') throw new TypeError('The listener must be a function');
    this.onListen(event);
    const ofListener = this.#guarded.get(listener as Listener) ?? new Map<unknown, Listener>();
    const known = ofListener.get(event);
    if (known) return known as EventEmitter.EventListener<Events, Name>;
    const report = (error: unknown) => this.#report(String(event), error);
    const guarded = function (this: unknown, ...args: never[]) {
      try {
        swallowRejection((listener as Listener).apply(this, args), report);
      } catch (error) {
        report(error);
      }
    };
    ofListener.set(event, guarded);
    this.#guarded.set(listener as Listener, ofListener);
    return guarded as unknown as EventEmitter.EventListener<Events, Name>;
  }

  // A report also calls listeners. If one of those fails, that must not be reported to listeners again.
  #report(event: string, error: unknown): void {
    const isNested = this.#isReporting;
    this.#isReporting = true;
    try {
      this.onListenerError(event, error, { isNested });
    } catch {
      // nobody is left to report this to
    } finally {
      this.#isReporting = isNested;
    }
  }
}

import { EventEmitter } from 'eventemitter3';
import { swallowRejection } from './options/callbacks/swallow-rejection.js';

type Listener = (...args: never[]) => unknown;

/** How a failure of a listener may be told. */
export interface ListenerFailure {
  /** Whether it came up while another one was being reported: telling listeners of it could go on for ever. */
  readonly isNested: boolean;
}

/**
 * An EventEmitter3 whose listeners can't hurt the emitter or each other: one that throws, or returns a promise
 * that rejects, is reported to {@link SafeEmitter.onListenerError} and the next one is called.
 */
export abstract class SafeEmitter<Events extends object> extends EventEmitter<Events> {
  /** The guarded form of every listener for each of its events, so that `off` finds what `on` was given. */
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

  // A report is told to listeners, too; one of them that fails over it must not be reported in the same way.
  #report(event: string, error: unknown): void {
    const isNested = this.#isReporting;
    this.#isReporting = true;
    try {
      this.onListenerError(event, error, { isNested });
    } catch {
      // nobody is left who could be told
    } finally {
      this.#isReporting = isNested;
    }
  }
}

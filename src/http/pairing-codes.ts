import type { Clock } from '../clock.js';
import type { WarningCode } from '../events.js';
import type { SessionState } from '../state.js';
import type { PendingPairing } from '../types.js';
import type { PairingCode, PairingKind } from './contract.js';
import type { SessionLike } from './session-like.js';

const KINDS: readonly PairingKind[] = ['qr', 'code'];

export type PairingNews =
  | ['pairing:received', { readonly kind: PairingKind; readonly receivedAt: string }]
  | ['pairing:dropped', { readonly kind: PairingKind }];

/**
 * The QR or pairing code that waits to be used. It is forgotten as soon as it can't be used any more.
 *
 * The code itself is always the session's own. The client's events only announce it, and a bot may remove all listeners
 * of its client before it attaches its own again.
 */
export class PairingCodes {
  readonly #session: SessionLike;
  readonly #clock: Clock;
  readonly #announce: (...news: PairingNews) => void;
  readonly #waiting = new Map<PairingKind, PairingCode>();
  /** What is heard of the client, by the name of its event. */
  readonly #listeners = new Map<string, (payload: unknown) => void>();
  /** When the code was received that the session may still have, but that can't be used any more. */
  #droppedAt: string | undefined;
  #isClosed = false;
  #isReattaching = false;

  constructor(session: SessionLike, clock: Clock, announce: (...news: PairingNews) => void) {
    this.#session = session;
    this.#clock = clock;
    this.#announce = announce;
    const { pairing } = session;
    if (pairing) this.#waiting.set(pairing.kind, codeOf(pairing));
    for (const kind of KINDS) this.#listeners.set(kind, (value) => this.#onCode(kind, value));
    for (const name of ['authenticated', 'ready', 'disconnected', 'auth_failure']) {
      this.#listeners.set(name, () => this.#drop());
    }
    this.#attach();
    session.on('state:changed', this.#onState);
    session.on('warning', this.#onWarning);
  }

  get(kind: PairingKind): PairingCode | undefined {
    this.#look();
    return this.#waiting.get(kind);
  }

  /** The values of the waiting codes, which must not appear anywhere else. */
  values(): readonly string[] {
    this.#look();
    return [...this.#waiting.values()].map(({ value }) => value);
  }

  close(): void {
    this.#isClosed = true;
    this.#detach();
    this.#session.off('state:changed', this.#onState);
    this.#session.off('warning', this.#onWarning);
    this.#waiting.clear();
  }

  readonly #onState = (payload: unknown): void => {
    if ((payload as { readonly to: SessionState }).to !== 'awaiting_qr') this.#drop();
  };

  // After this warning no new code comes by itself to replace the one that waits.
  readonly #onWarning = (payload: unknown): void => {
    if ((payload as { readonly code: WarningCode }).code === 'pairing-expired') this.#drop();
  };

  #onCode(kind: PairingKind, value: unknown): void {
    if (typeof value !== 'string' || value === '') return;
    const { pairing } = this.#session;
    const isTold = pairing?.kind === kind && pairing.value === value;
    const receivedAt = isTold ? pairing.receivedAt : new Date(this.#clock.now()).toISOString();
    this.#receive(kind, { value, receivedAt });
  }

  /** Finds a code that came while nothing was heard of the client. */
  #look(): void {
    const { pairing } = this.#session;
    if (this.#isClosed || pairing === undefined || pairing.receivedAt === this.#droppedAt) return;
    if (this.#waiting.get(pairing.kind)?.value === pairing.value) return;
    this.#receive(pairing.kind, codeOf(pairing));
  }

  #receive(kind: PairingKind, code: PairingCode): void {
    this.#waiting.set(kind, code);
    this.#announce('pairing:received', { kind, receivedAt: code.receivedAt });
  }

  #drop(): void {
    this.#droppedAt = this.#session.pairing?.receivedAt;
    for (const kind of KINDS) if (this.#waiting.delete(kind)) this.#announce('pairing:dropped', { kind });
  }

  #attach(): void {
    const { client } = this.#session;
    for (const [event, listener] of this.#listeners) client.on(event, listener);
    client.on('removeListener', this.#onRemoved);
  }

  #detach(): void {
    const { client } = this.#session;
    client.off?.('removeListener', this.#onRemoved);
    for (const [event, listener] of this.#listeners) client.off?.(event, listener);
  }

  // Node reports a removal while it is still going on, so the listeners are attached again afterwards.
  readonly #onRemoved = (event: unknown, listener: unknown): void => {
    const isOurs = typeof event === 'string' && this.#listeners.get(event) === listener;
    if (!isOurs || this.#isReattaching || this.#isClosed) return;
    this.#isReattaching = true;
    queueMicrotask(() => {
      this.#isReattaching = false;
      if (this.#isClosed) return;
      this.#detach();
      this.#attach();
      this.#look();
    });
  };
}

function codeOf({ value, receivedAt }: PendingPairing): PairingCode {
  return { value, receivedAt };
}

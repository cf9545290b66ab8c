import type { Clock } from '../clock.js';
import type { WarningCode } from '../events.js';
import type { SessionState } from '../state.js';
import type { PairingCode, PairingKind } from './contract.js';
import type { SessionLike } from './session-like.js';

const KINDS: readonly PairingKind[] = ['qr', 'code'];

export type PairingNews =
  | ['pairing:received', { readonly kind: PairingKind; readonly receivedAt: string }]
  | ['pairing:dropped', { readonly kind: PairingKind }];

/** The QR or pairing code that waits to be used. It is forgotten as soon as it can't be used any more. */
export class PairingCodes {
  readonly #waiting = new Map<PairingKind, PairingCode>();
  readonly #stops: (() => void)[] = [];

  constructor(session: SessionLike, clock: Clock, announce: (...news: PairingNews) => void) {
    const { client, pairing } = session;
    if (pairing) this.#waiting.set(pairing.kind, { value: pairing.value, receivedAt: pairing.receivedAt });
    for (const kind of KINDS) {
      this.#hear(client, kind, (value) => {
        if (typeof value !== 'string' || value === '') return;
        const receivedAt = new Date(clock.now()).toISOString();
        this.#waiting.set(kind, { value, receivedAt });
        announce('pairing:received', { kind, receivedAt });
      });
    }
    const drop = () => {
      for (const kind of KINDS) if (this.#waiting.delete(kind)) announce('pairing:dropped', { kind });
    };
    for (const name of ['authenticated', 'ready', 'disconnected', 'auth_failure']) {
      this.#hear(client, name, drop);
    }
    const onState = (payload: unknown) => {
      if ((payload as { readonly to: SessionState }).to !== 'awaiting_qr') drop();
    };
    // After this warning no new code comes by itself to replace this one.
    const onWarning = (payload: unknown) => {
      if ((payload as { readonly code: WarningCode }).code === 'pairing-expired') drop();
    };
    session.on('state:changed', onState);
    session.on('warning', onWarning);
    this.#stops.push(
      () => session.off('state:changed', onState),
      () => session.off('warning', onWarning),
    );
  }

  get(kind: PairingKind): PairingCode | undefined {
    return this.#waiting.get(kind);
  }

  /** The values of the waiting codes, which must not appear anywhere else. */
  values(): readonly string[] {
    return [...this.#waiting.values()].map(({ value }) => value);
  }

  close(): void {
    for (const stop of this.#stops.splice(0)) stop();
    this.#waiting.clear();
  }

  #hear(client: SessionLike['client'], event: string, listener: (payload: unknown) => void): void {
    client.on(event, listener);
    this.#stops.push(() => client.off?.(event, listener));
  }
}

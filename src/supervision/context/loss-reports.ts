import type { DisconnectCause } from '../../events.js';

/** Who decides what follows from a loss. */
export interface LossListener {
  /** The session is up no more, which nothing but a watch has found out. */
  readonly onLost: (cause: DisconnectCause, error?: unknown) => void;
  /** Another process owns the session now. */
  readonly onLeaseLost: (reason: string) => void;
}

/** Carries what the watches and the lease find out to whoever decides; they are made before it. */
export class LossReports {
  #listener: LossListener | undefined;

  listen(listener: LossListener): void {
    this.#listener = listener;
  }

  reportLoss(cause: DisconnectCause, error?: unknown): void {
    this.#listener?.onLost(cause, error);
  }

  reportLeaseLost(reason: string): void {
    this.#listener?.onLeaseLost(reason);
  }
}

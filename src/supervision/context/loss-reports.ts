import type { DisconnectCause } from '../../events.js';

/** Decides what happens after a loss. */
export interface LossListener {
  /** The session was lost, and only a watch has noticed it. */
  readonly onLost: (cause: DisconnectCause, error?: unknown) => void;
  /** Another process owns the session now. */
  readonly onLeaseLost: (reason: string) => void;
}

/** Passes losses found by the watches and the lease to a {@link LossListener}, which is created after them. */
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

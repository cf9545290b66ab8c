import type { ClientEvent } from '../../client/client-event.js';
import { lookAtPage } from '../../client/page-probe.js';
import { QR_EXPIRED } from '../../client/refresh-qr.js';
import { StartWatch } from '../../client/start-client.js';
import { TimeoutError } from '../../errors.js';
import { PeriodicTask } from '../../periodic-task.js';
import type { SessionContext } from '../context/session-context.js';
import { QrRenewal } from './qr-renewal.js';

/** Page states after a scan; the client reports none of them before `authenticated`. */
const AFTER_SCAN = ['OPENING', 'PAIRING', 'CONNECTED'];
const LOOK_INTERVAL_MS = 5_000;

export interface PairingWatchParts {
  readonly subscribe: (listener: (event: ClientEvent) => void) => () => void;
  /** Called when a login hangs between scan and `ready`. */
  readonly onStuck: (error: Error) => void;
}

/**
 * Follows a pairing. There is no deadline while a QR or a code waits. The scan starts a deadline, so that a login
 * that hangs between scan and `ready` is noticed. An expired QR is replaced.
 */
export class PairingWatch {
  readonly #context: SessionContext;
  readonly #subscribe: PairingWatchParts['subscribe'];
  readonly #onStuck: PairingWatchParts['onStuck'];
  readonly #looks: PeriodicTask;
  readonly #renewal: QrRenewal;
  #unsubscribe: (() => void) | undefined;
  #login: StartWatch | undefined;

  constructor(context: SessionContext, { subscribe, onStuck }: PairingWatchParts) {
    this.#context = context;
    this.#subscribe = subscribe;
    this.#onStuck = onStuck;
    this.#renewal = new QrRenewal(context);
    this.#looks = new PeriodicTask({
      clock: context.clock,
      random: context.random,
      intervalMs: LOOK_INTERVAL_MS,
      work: () => this.#look(),
      onError: () => undefined,
    });
  }

  /** Call when a QR or code was delivered. */
  begin(): void {
    this.end();
    this.#renewal.reset();
    this.#unsubscribe = this.#subscribe((event) => {
      if (event.type === 'pairing') this.#renewal.onNewCode();
      if (event.type === 'authenticated') this.#onScanned({ authenticated: true });
      if (event.type === 'ready') this.end();
    });
    this.#looks.start();
  }

  /** Idempotent. */
  end(): void {
    this.#looks.stop();
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#login?.end();
    this.#login = undefined;
  }

  async #look(): Promise<void> {
    const { driver, clock, options } = this.#context;
    const look = await lookAtPage(driver, clock, options.puppeteerTimeoutMs);
    if (!this.#unsubscribe || this.#login) return; // the pairing has ended in the meantime
    if (look?.state === QR_EXPIRED) return this.#renewal.onExpired();
    if (look?.state !== undefined && AFTER_SCAN.includes(look.state)) {
      this.#onScanned({ authenticated: false });
    }
  }

  #onScanned(progress: { readonly authenticated: boolean }): void {
    if (this.#login || !this.#unsubscribe) return;
    this.#looks.stop();
    const { driver, clock, options } = this.#context;
    this.#login = new StartWatch(
      {
        driver,
        clock,
        sessionTimeoutMs: options.sessionTimeoutMs,
        puppeteerTimeoutMs: options.puppeteerTimeoutMs,
        subscribe: this.#subscribe,
      },
      (outcome) => {
        this.#login = undefined;
        // The scan failed and there is a new QR: wait for the next scan.
        if (outcome.kind === 'pairing') return this.#looks.start();
        this.end();
        // The supervisor learns of other outcomes from events that say more.
        if (outcome.kind === 'failed' && outcome.error instanceof TimeoutError) this.#onStuck(outcome.error);
      },
    );
    this.#login.follow(progress);
  }
}

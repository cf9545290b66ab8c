import { refreshQr } from '../../client/refresh-qr.js';
import type { SessionContext } from '../context/session-context.js';

/** After this many requests without a new QR, the page counts as one that gives none. */
const MAX_IN_VAIN = 3;
/**
 * Limit for new QRs in one pairing. Each set of codes of WhatsApp Web lasts minutes, so this is days without a scan.
 */
const MAX_RENEWALS = 1000;

/**
 * Requests a new QR when the last one has expired, and warns when there is none, so that a dead code is never
 * offered.
 */
export class QrRenewal {
  readonly #context: Pick<SessionContext, 'clock' | 'driver' | 'logger' | 'options' | 'warn'>;
  #renewals = 0;
  #inVain = 0;
  #isTold = false;

  constructor(context: Pick<SessionContext, 'clock' | 'driver' | 'logger' | 'options' | 'warn'>) {
    this.#context = context;
  }

  /** Call when a pairing begins. */
  reset(): void {
    this.#renewals = 0;
    this.onNewCode();
  }

  /** Call when a QR was delivered. */
  onNewCode(): void {
    this.#inVain = 0;
    this.#isTold = false;
  }

  /** Call at every check that finds the QR expired. Never rejects. */
  async onExpired(): Promise<void> {
    const { driver, clock, options, logger } = this.#context;
    // The client itself renews a pairing code, in the page.
    if (driver.client.options?.pairWithPhoneNumber?.phoneNumber || driver.pairing?.kind === 'code') return;
    driver.expirePairing();
    if (this.#inVain >= MAX_IN_VAIN || this.#renewals >= this.#limit()) return this.#tell();
    const attempt = this.#inVain++;
    if (attempt === 0) this.#renewals++;
    const taken = await refreshQr(driver, { clock, deadlineMs: options.puppeteerTimeoutMs, attempt });
    logger.debug('the QR has expired: the page was asked for a new one', { attempt: attempt + 1, taken });
  }

  /**
   * With `qrMaxRetries`, the client itself reports when the codes are used up. The limit here is for a bot without
   * it.
   */
  #limit(): number {
    const { qrMaxRetries = 0 } = this.#context.driver.client.options ?? {};
    return qrMaxRetries > 0 ? Math.min(qrMaxRetries, MAX_RENEWALS) : MAX_RENEWALS;
  }

  #tell(): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#context.warn(
      'pairing-expired',
      'the QR has expired, and WhatsApp Web gives no new one; reconnect() starts it again, with a new QR',
    );
  }
}

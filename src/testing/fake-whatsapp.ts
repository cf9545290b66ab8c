import type { FakeLogin } from './fake-profile.js';

/**
 * The server side of the fake clients: knows which credentials are valid, and can simulate faults.
 *
 * @example
 * const whatsApp = new FakeWhatsApp();
 * const client = new FakeClient({ whatsApp, localAuth: { dataPath: folder } });
 * whatsApp.offline = true; // the next start fails with net::ERR_CONNECTION_REFUSED
 */
export class FakeWhatsApp {
  /** WhatsApp can't be reached: a navigation fails at once. */
  offline = false;
  /** Connections are accepted but never answered: not even the page loads. */
  hangs = false;
  /** Somebody else answers in its place, with a page of this status and title: a proxy, a provider, its own front door. */
  otherPage: { readonly status: number; readonly title: string } | undefined;
  /**
   * The page loads, but its socket stays in this state: `OPENING` when there is no network, `UNLAUNCHED` when the
   * page itself does not make progress.
   */
  stallsIn: string | undefined;
  /** The login is accepted and `authenticated` comes, but `ready` never comes. */
  neverReady = false;
  /** The page has synced before the client listens: neither `authenticated` nor `ready` comes by itself. */
  syncsEarly = false;
  /** Rejected credentials are answered with a logout instead of a silent QR. */
  answersWithLogout = false;
  /** Whether a page whose QR has expired shows a new one on request. */
  renewsQr = true;
  /** The account that paired last. */
  account = '';
  /** How many QR or pairing codes were made. */
  codes = 0;
  readonly #accounts = new Map<string, string>();
  #pairings = 0;

  /** A phone links a device; every pairing has its own credential. */
  pair(account: string): FakeLogin {
    this.account = account;
    const credential = `credential-${++this.#pairings}`;
    this.#accounts.set(credential, account);
    return { credential, note: 'paired' };
  }

  accepts({ credential }: FakeLogin): boolean {
    return this.#accounts.has(credential);
  }

  accountOf({ credential }: FakeLogin): string {
    return this.#accounts.get(credential) ?? this.account;
  }

  /** The phone unlinks one device. */
  revoke({ credential }: FakeLogin): void {
    this.#accounts.delete(credential);
  }

  /** The phone unlinks all its devices. */
  revokeAll(): void {
    this.#accounts.clear();
  }

  nextCode(): string {
    return `code-${++this.codes}`;
  }
}

import { abortReason, type Clock, type TimerHandle } from '../clock.js';
import { TimeoutError, toError } from '../errors.js';
import type { ClientDriver } from './client-driver.js';
import type { ClientEvent } from './client-event.js';
import { isDisplaySet } from './launch-obstacles.js';
import { causeOfDisconnect, disconnectInWords, LOGOUT } from './lost-state.js';
import { isNetworkError } from './network-errors.js';
import { fireSynced, lookAtPage, type PageLook } from './page-probe.js';
import { addressOfRemotePage } from './remote-page.js';
import { obstacleOf, type StartObstacle } from './start-error.js';
import { foreignTitleOf, inWords, withPageFacts } from './start-news.js';
import type { StartFailure, StartOutcome } from './start-outcome.js';

export interface StartParameters {
  readonly driver: ClientDriver;
  readonly clock: Clock;
  /** Time limit since the last sign of progress, ms; a whole start may take ten times as long. */
  readonly sessionTimeoutMs: number;
  /** Time limit for each request to the page, ms. */
  readonly puppeteerTimeoutMs: number;
  readonly signal: AbortSignal;
  /** Adds a listener for the client's events; returns an unsubscribe function. */
  readonly subscribe: (listener: (event: ClientEvent) => void) => () => void;
  /** While this is pending, a browser that was launched may open no page, which is no lack of progress. */
  readonly held?: Promise<unknown> | undefined;
}

/** The client's message when all QR codes that `qrMaxRetries` allows are used (Client.js). */
export const MAX_QR_RETRIES = 'Max qrcode retries reached';
/** A big account on a small host needs time, but the start must end at some point. */
const TOTAL_DEADLINE_FACTOR = 10;
/** States of a page whose socket has no connection to WhatsApp. */
const UNCONNECTED = ['OPENING', 'TIMEOUT'];
/** How often the page is asked whether it has synced and the client has missed that. */
const LOOK_INTERVAL_MS = 5_000;
/** How long a client that was woken at the deadline may take until `ready`: it injects its code and reads the contacts. */
const WAKE_WAIT_MS = 10_000;

/**
 * Starts the client and waits for the first event that decides the outcome. Rejects only when `signal` aborts. Does not
 * close the browser: that is the caller's task.
 */
export function startClient(parameters: StartParameters): Promise<StartOutcome> {
  return new Promise((resolve, reject) => {
    const { signal } = parameters;
    if (signal.aborted) return reject(abortReason(signal, 'the start was aborted'));
    const watch = new StartWatch(parameters, (outcome) => {
      signal.removeEventListener('abort', onAbort);
      resolve(outcome);
    });
    const onAbort = () => {
      watch.end();
      reject(abortReason(signal, 'the start was aborted'));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    watch.begin();
  });
}

/** Follows a start of the client until its outcome; also the rest of a login after a scan, in a browser that is running. */
export class StartWatch {
  readonly #parameters: Omit<StartParameters, 'signal'>;
  readonly #settle: (outcome: StartOutcome) => void;
  readonly #unsubscribe: () => void;
  /** The deadline of the whole start, regardless of progress. */
  #latest: number;
  #held = false;
  #deadline: TimerHandle | undefined;
  #look: TimerHandle | undefined;
  #lastProgress: number;
  #launched = false;
  #navigated = false;
  #authenticated = false;
  #woken = false;
  /** When the extra time ends that a client gets that was woken at the deadline. */
  #wakesUntil = Number.NEGATIVE_INFINITY;
  #ended = false;

  constructor(parameters: Omit<StartParameters, 'signal'>, settle: (outcome: StartOutcome) => void) {
    this.#parameters = parameters;
    this.#settle = settle;
    this.#lastProgress = parameters.clock.monotonic();
    this.#latest = this.#lastProgress + parameters.sessionTimeoutMs * TOTAL_DEADLINE_FACTOR;
    this.#unsubscribe = parameters.subscribe((event) => this.#onEvent(event));
    this.#armDeadline();
    this.#waitFor(parameters.held);
  }

  #waitFor(held: Promise<unknown> | undefined): void {
    if (held === undefined) return;
    const since = this.#lastProgress;
    this.#held = true;
    const release = () => {
      this.#held = false;
      if (this.#ended) return;
      this.#latest += this.#parameters.clock.monotonic() - since;
      this.#onProgress();
    };
    held.then(release, release);
  }

  /** Launches the client's browser. */
  begin(): void {
    this.#parameters.driver.launch().then(
      () => this.#armLook(),
      (error: unknown) => void this.#onLaunchFailed(error),
    );
  }

  async #onLaunchFailed(error: unknown): Promise<void> {
    if (isNetworkError(error)) return this.#fail('network-down', toError(error));
    const hasDisplay = isDisplaySet(this.#parameters.driver.client.options?.puppeteer);
    const obstacle = obstacleOf({ error, launched: this.#launched, hasDisplay });
    this.#parameters.clock.clearTimeout(this.#deadline);
    const foreignTitle = obstacle === undefined ? await this.#foreignTitle() : undefined;
    const { lastPageError } = this.#parameters.driver;
    this.#fail('start-failed', withPageFacts(error, { lastPageError, foreignTitle }), {
      obstacle,
      foreignTitle,
    });
  }

  /** The title of a page that is not WhatsApp Web; `undefined` when the page can't be asked. */
  async #foreignTitle(): Promise<string | undefined> {
    const { driver, clock } = this.#parameters;
    if (!this.#navigated || this.#authenticated || !driver.connected) return undefined;
    return foreignTitleOf(driver.page, clock);
  }

  /** Only watches a browser that already runs. `authenticated`: the client has already emitted that event. */
  follow({ authenticated }: { readonly authenticated: boolean }): void {
    this.#navigated = true;
    this.#authenticated = authenticated;
    this.#armLook();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#unsubscribe();
    this.#parameters.clock.clearTimeout(this.#deadline);
    this.#parameters.clock.clearTimeout(this.#look);
  }

  #onEvent(event: ClientEvent): void {
    switch (event.type) {
      case 'ready':
        return this.#finish({ kind: 'ready' });
      case 'pairing':
      case 'pairing-held':
        return this.#finish({ kind: event.type });
      case 'authenticated':
        this.#authenticated = true;
        return this.#onProgress();
      case 'progress':
        this.#navigated = true;
        return this.#onProgress();
      case 'browser-launched':
        this.#launched = true;
        return this.#onProgress();
      case 'state':
        return this.#onProgress();
      case 'auth-failure':
        return this.#finish({ kind: 'gave-up', cause: event.type, detail: event.message });
      case 'disconnected':
        return this.#onDisconnected(event.reason);
      case 'browser-gone':
        return this.#fail('browser-gone', new Error('the browser ended during the start'));
      case 'page-crashed':
        return this.#fail('page-crashed', new Error('the page crashed or was closed during the start'));
      case 'inject-failed':
        return this.#fail('start-failed', toError(event.error));
      case 'contained':
        return;
    }
  }

  #onDisconnected(reason: string): void {
    if (reason === LOGOUT) return this.#finish({ kind: 'logged-out' });
    if (reason === MAX_QR_RETRIES) return this.#finish({ kind: 'gave-up', cause: 'qr-retries-used' });
    this.#fail(causeOfDisconnect(reason), new Error(disconnectInWords(reason)));
  }

  #onProgress(): void {
    this.#lastProgress = this.#parameters.clock.monotonic();
    this.#armDeadline();
  }

  #armDeadline(): void {
    const { clock, sessionTimeoutMs } = this.#parameters;
    clock.clearTimeout(this.#deadline);
    const due = Math.max(Math.min(this.#lastProgress + sessionTimeoutMs, this.#latest), this.#wakesUntil);
    const onDeadline = () => {
      this.#onDeadline().catch((error: unknown) => this.#fail('start-failed', toError(error)));
    };
    this.#deadline = clock.setTimeout(onDeadline, Math.max(0, due - clock.monotonic()));
  }

  async #onDeadline(): Promise<void> {
    if (this.#held && this.#launched) return; // the release arms it again
    const { sessionTimeoutMs, driver, clock, puppeteerTimeoutMs } = this.#parameters;
    const what = this.#authenticated ? 'ready after authenticated' : 'ready or a QR';
    const server = this.#navigated ? undefined : addressOfRemotePage(driver.client.options);
    const wait = server === undefined ? '' : ` (whatsapp-web.js may wait for ${server}, its webVersionCache)`;
    const timeout = (foreignTitle?: string) => {
      const more = inWords({ lastPageError: driver.lastPageError, foreignTitle }) || wait;
      return new TimeoutError(`no ${what}, and no progress for ${sessionTimeoutMs} ms${more}`);
    };
    // A browser that does not even come up says nothing of the network.
    if (!this.#navigated && !this.#authenticated) {
      return this.#fail(this.#launched ? 'network-down' : 'start-failed', timeout());
    }
    if (this.#authenticated && this.#woken) return this.#fail('never-ready', timeout());
    // The page may be CONNECTED although the client told nothing of it (docs/chromium-facts.md F2.4).
    const progress = this.#lastProgress;
    const look = await lookAtPage(driver, clock, puppeteerTimeoutMs);
    // Progress has set a deadline of its own.
    const isOver = () => this.#ended || (progress !== this.#lastProgress && clock.monotonic() < this.#latest);
    if (isOver()) return;
    if (this.#isAsleep(look)) return this.#wakeAtLast();
    if (this.#authenticated) return this.#fail('never-ready', timeout());
    // A page out of a cache, or of a service worker, loads without a network; its socket tells (a network outage must
    // not use up the attempts).
    const isOffline = look?.state !== undefined && UNCONNECTED.includes(look.state);
    const foreignTitle = look === undefined ? await this.#foreignTitle() : undefined;
    if (isOver()) return;
    this.#fail(isOffline ? 'network-down' : 'start-failed', timeout(foreignTitle), { foreignTitle });
  }

  async #wakeAtLast(): Promise<void> {
    this.#wakesUntil = this.#parameters.clock.monotonic() + WAKE_WAIT_MS;
    this.#armDeadline();
    await this.#wake();
  }

  // The page is only asked until the client knows of the sync; its next steps may take long.
  #armLook(): void {
    if (this.#ended || this.#authenticated) return;
    const { clock } = this.#parameters;
    clock.clearTimeout(this.#look);
    this.#look = clock.setTimeout(() => {
      this.#lookAtPage().catch(() => undefined);
    }, LOOK_INTERVAL_MS);
  }

  // Wakes the client once at most; the looks themselves end with the deadline.
  async #lookAtPage(): Promise<void> {
    const { driver, clock, puppeteerTimeoutMs } = this.#parameters;
    const look = await lookAtPage(driver, clock, puppeteerTimeoutMs);
    if (this.#ended || this.#woken || this.#authenticated) return;
    if (this.#isAsleep(look)) await this.#wake();
    else this.#armLook();
  }

  /**
   * Whether the page has synced and the client may have missed it. A client that already knows of the sync is woken only if
   * its code is not in the page (removed by a navigation). Otherwise it would take a half-done injection for a complete
   * one and emit `ready` without having attached its listeners (Client.js, onAppStateHasSyncedEvent), so that the bot
   * would receive nothing.
   */
  #isAsleep(look: PageLook | undefined): boolean {
    if (this.#woken || look?.state !== 'CONNECTED' || !look.hasSynced) return false;
    return !this.#authenticated || !look.injected;
  }

  async #wake(): Promise<void> {
    const { driver, clock, puppeteerTimeoutMs } = this.#parameters;
    this.#woken = true;
    await fireSynced(driver, clock, puppeteerTimeoutMs);
  }

  #fail(
    cause: StartFailure,
    error: Error,
    {
      obstacle,
      foreignTitle,
    }: { readonly obstacle?: StartObstacle | undefined; readonly foreignTitle?: string | undefined } = {},
  ): void {
    const reachedPage = (this.#navigated || this.#authenticated) && foreignTitle === undefined;
    this.#finish({ kind: 'failed', cause, error, reachedPage, ...(obstacle && { obstacle }) });
  }

  #finish(outcome: StartOutcome): void {
    if (this.#ended) return;
    this.end();
    this.#settle(outcome);
  }
}

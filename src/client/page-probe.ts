import { type Clock, withDeadline } from '../clock.js';
import type { ClientDriver } from './client-driver.js';

/** The state of the page as the page itself reports it; the client's record of it may be old. */
export interface PageLook {
  /** `Socket.state`, for example `CONNECTED`. */
  readonly state: string | undefined;
  readonly hasSynced: boolean;
  /** Whether whatsapp-web.js has injected its code (`window.WWebJS`). */
  readonly injected: boolean;
}

const LOOK = `(() => {
  try {
    const { Socket } = window.require('WAWebSocketModel');
    const injected = typeof window.WWebJS !== 'undefined';
    return { state: Socket.state ?? undefined, hasSynced: Socket.hasSynced === true, injected };
  } catch { return undefined; }
})()`;

// If change:hasSynced fired before whatsapp-web.js subscribed to it, neither `authenticated` nor `ready` ever comes
// (docs/chromium-facts.md F2.4). This calls the client's own handler, so that `ready` is still emitted by the client.
const FIRE_SYNCED = `typeof window.onAppStateHasSyncedEvent === 'function' && (window.onAppStateHasSyncedEvent(), true)`;

/** Reads the state of the page; `undefined` when it does not answer in time, or is no WhatsApp page yet. */
export async function lookAtPage(
  driver: ClientDriver,
  clock: Clock,
  deadlineMs: number,
): Promise<PageLook | undefined> {
  return withDeadline(clock, deadlineMs, 'looking at the page', ask(driver)).catch(() => undefined);
}

/** The result of probing the page. */
export interface PageProbe {
  /** Whether WhatsApp's page answered in time; false when the browser is gone or shows another page. */
  readonly answered: boolean;
  /** The state that the page itself reports, for example `CONNECTED`. */
  readonly state: string | undefined;
  readonly durationMs: number;
}

/**
 * Asks the page whether it is alive, because `client.info` and the client's last state don't change when it dies (#1665).
 * `undefined` while there is no page or it is being closed. Never rejects.
 */
export async function probePage(
  driver: ClientDriver,
  clock: Clock,
  deadlineMs: number,
): Promise<PageProbe | undefined> {
  if (!driver.page || driver.isClosing) return undefined;
  const startedAt = clock.monotonic();
  const asking = ask(driver);
  const within = (ms: number) => withDeadline(clock, ms, 'probing the page', asking);
  // If the bot blocked its event loop, the deadline passes while the answer is still unread in the socket. So the last tenth
  // of the time is a second wait, which only begins when the first has ended.
  const patienceMs = Math.ceil(deadlineMs * 0.1);
  const look = await within(deadlineMs - patienceMs)
    .catch(() => within(patienceMs))
    .catch(() => undefined);
  return { answered: look !== undefined, state: look?.state, durationMs: clock.monotonic() - startedAt };
}

/** States of a page that is not logged in (whatsapp-web.js, WAState). */
const LOGGED_OUT = ['UNPAIRED', 'UNPAIRED_IDLE', 'UNLAUNCHED'];

/**
 * Whether the page itself reports that it is not logged in (any more). The page knows of a logout before the client does,
 * and deletes the login at once.
 */
export function isLoggedOutState(state: string | undefined): boolean {
  return state !== undefined && LOGGED_OUT.includes(state);
}

/** Calls the client's handler for a synced page again. */
export async function fireSynced(driver: ClientDriver, clock: Clock, deadlineMs: number): Promise<void> {
  const page = driver.page;
  if (!page) return;
  await withDeadline(clock, deadlineMs, 'waking the client', page.evaluate(FIRE_SYNCED)).catch(
    () => undefined,
  );
}

/** The browser's version, for example `Chrome/156.0.8078.79`; `undefined` when the browser does not answer. */
export async function browserVersion(
  driver: ClientDriver,
  clock: Clock,
  deadlineMs: number,
): Promise<string | undefined> {
  const version = driver.browser?.version?.();
  if (!version) return undefined;
  return withDeadline(clock, deadlineMs, 'asking for the browser version', version).catch(() => undefined);
}

/** The account's id (`972501234567@c.us`). It is personal data: hash it before you store it. */
export function accountId(driver: ClientDriver): string | undefined {
  const id = driver.client.info?.wid?._serialized;
  return typeof id === 'string' && id.length > 0 ? id : undefined;
}

async function ask(driver: ClientDriver): Promise<PageLook | undefined> {
  const { page } = driver;
  if (!page || !driver.connected) return undefined;
  const look = await page.evaluate(LOOK).catch(() => undefined);
  return isLook(look) ? look : undefined;
}

function isLook(value: unknown): value is PageLook {
  return typeof value === 'object' && value !== null && 'hasSynced' in value;
}

import { type Clock, withDeadline } from '../clock.js';
import type { ClientDriver } from './client-driver.js';

/** The page's own word, not the client's memory of it. */
export interface PageLook {
  /** `Socket.state`, for example `CONNECTED`. */
  readonly state: string | undefined;
  readonly hasSynced: boolean;
  /** Whether whatsapp-web.js has put its code there (`window.WWebJS`). */
  readonly injected: boolean;
}

const LOOK = `(() => {
  try {
    const { Socket } = window.require('WAWebSocketModel');
    const injected = typeof window.WWebJS !== 'undefined';
    return { state: Socket.state ?? undefined, hasSynced: Socket.hasSynced === true, injected };
  } catch { return undefined; }
})()`;

// Where change:hasSynced fired before whatsapp-web.js subscribed to it, neither `authenticated` nor `ready` ever comes
// (docs/chromium-facts.md F2.4). Its own handler is called again, so that `ready` still comes from the client alone.
const FIRE_SYNCED = `typeof window.onAppStateHasSyncedEvent === 'function' && (window.onAppStateHasSyncedEvent(), true)`;

/** Looks at the page; `undefined` when it does not answer in time, or is no WhatsApp page yet. */
export async function lookAtPage(
  driver: ClientDriver,
  clock: Clock,
  deadlineMs: number,
): Promise<PageLook | undefined> {
  return withDeadline(clock, deadlineMs, 'looking at the page', ask(driver)).catch(() => undefined);
}

/** What an active look at the page came to. */
export interface PageProbe {
  /** Whether WhatsApp's page answered in time. One whose browser is gone, or that shows something else, did not. */
  readonly answered: boolean;
  /** The page's own word, for example `CONNECTED`. */
  readonly state: string | undefined;
  readonly durationMs: number;
}

/**
 * Asks the page whether it is alive: `client.info` and the client's last state stay as they were when it dies (#1665).
 * `undefined` while there is no page to ask, or it is being closed. Never rejects.
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
  // A bot that blocked its event loop finds the deadline over while the answer lies unread in the socket: the last
  // tenth of the time, begun only then, is for that one.
  const patienceMs = Math.ceil(deadlineMs * 0.1);
  const look = await within(deadlineMs - patienceMs)
    .catch(() => within(patienceMs))
    .catch(() => undefined);
  return { answered: look !== undefined, state: look?.state, durationMs: clock.monotonic() - startedAt };
}

/** States of a page that is not logged in (whatsapp-web.js, WAState). */
const LOGGED_OUT = ['UNPAIRED', 'UNPAIRED_IDLE', 'UNLAUNCHED'];

/**
 * Whether the page itself says that it is not logged in (any more): it knows of a logout before the client does, and
 * wipes the login at once.
 */
export function isLoggedOutState(state: string | undefined): boolean {
  return state !== undefined && LOGGED_OUT.includes(state);
}

/** Tells the client again that the page has synced. */
export async function fireSynced(driver: ClientDriver, clock: Clock, deadlineMs: number): Promise<void> {
  const page = driver.page;
  if (!page) return;
  await withDeadline(clock, deadlineMs, 'waking the client', page.evaluate(FIRE_SYNCED)).catch(
    () => undefined,
  );
}

/** For example `Chrome/156.0.8078.79`; `undefined` when the browser does not say. */
export async function browserVersion(
  driver: ClientDriver,
  clock: Clock,
  deadlineMs: number,
): Promise<string | undefined> {
  const version = driver.browser?.version?.();
  if (!version) return undefined;
  return withDeadline(clock, deadlineMs, 'asking for the browser version', version).catch(() => undefined);
}

/** The account's id (`972501234567@c.us`): personal data, to be hashed by whoever keeps it. */
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

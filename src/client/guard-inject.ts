import type { ClientInternals, PageHandle } from './client-types.js';

export interface InjectionRules {
  readonly isClosing: () => boolean;
  /** Whether the client's own `initialize()` is running: it awaits the injection and rejects if that fails. */
  readonly isStarting: () => boolean;
  readonly mayPair: () => boolean;
  readonly onHeldCode: () => void;
  readonly onFailed: (error: unknown) => void;
}

/** A property of the page's window, which disappears with its document; no script uses this name by chance. */
const MARK = "window[Symbol.for('wwebjs-persistent-session.injected')]";
const IS_MARKED = `${MARK} === true`;
const SET_MARK = `(${MARK} = true, undefined)`;

/** Wraps the client's `inject()` and `requestPairingCode()`, which the client calls without awaiting them. */
export function guardInject(client: ClientInternals, rules: InjectionRules): void {
  guardInjection(client, rules);
  guardPairingCode(client, rules);
}

// After the start, only the client's `framenavigated` handler calls inject(), and nobody awaits that handler, so that a
// rejection ("Execution context was destroyed", whatsapp-web.js #3792) would end the bot's process. The handler also runs
// when any other frame navigates, and when only the address of the same document changes. A second injection into the same
// document would add the client's listeners twice, and each event (`qr`, `authenticated`, `ready`) would come twice.
function guardInjection(client: ClientInternals, rules: InjectionRules): void {
  const inject = client.inject?.bind(client);
  if (!inject) return;
  let last: Promise<unknown> = Promise.resolve();
  const injectOnce = async () => {
    if (rules.isClosing()) return;
    const page = client.pupPage ?? undefined;
    if (await isMarked(page)) return;
    if (rules.isClosing()) return;
    await inject();
    mark(page);
  };
  client.inject = async () => {
    if (rules.isClosing()) return undefined;
    if (rules.isStarting()) {
      last = Promise.resolve();
      const result = await inject();
      mark(client.pupPage ?? undefined);
      return result;
    }
    // Injections run one after the other, so that the second one sees the mark of the first.
    const mine = last.then(injectOnce);
    last = mine.catch(rules.onFailed);
    await last;
    return undefined;
  };
}

// A page that does not answer counts as not marked: the injection then fails with the real error.
async function isMarked(page: PageHandle | undefined): Promise<boolean> {
  const answer = await page?.evaluate(IS_MARKED).catch(() => false);
  return answer === true;
}

// Does not wait for the page, because the client's `initialize()` must not resolve later than without this library. The
// page handles later requests after this one.
function mark(page: PageHandle | undefined): void {
  page?.evaluate(SET_MARK).catch(() => undefined);
}

function guardPairingCode(client: ClientInternals, rules: InjectionRules): void {
  const requestPairingCode = client.requestPairingCode?.bind(client);
  if (!requestPairingCode) return;
  client.requestPairingCode = (...args) => {
    if (rules.isClosing() || !rules.mayPair()) {
      rules.onHeldCode();
      return Promise.resolve(undefined);
    }
    const code = requestPairingCode(...args);
    code.catch(() => undefined); // `inject()` does not await it
    return code;
  };
}

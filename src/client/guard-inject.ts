import type { ClientInternals, PageHandle } from './client-types.js';

export interface InjectionRules {
  readonly isClosing: () => boolean;
  /** Whether the client's own `initialize()` is under way: it awaits its injection, and rejects as that does. */
  readonly isStarting: () => boolean;
  readonly mayPair: () => boolean;
  readonly onHeldCode: () => void;
  readonly onFailed: (error: unknown) => void;
}

/** A property of the page's window: gone with its document, and of a name that no script meets by chance. */
const MARK = "window[Symbol.for('wwebjs-persistent-session.injected')]";
const IS_MARKED = `${MARK} === true`;
const SET_MARK = `(${MARK} = true, undefined)`;

/** Wraps the client's `inject()` and `requestPairingCode()`, which it calls without awaiting them. */
export function guardInject(client: ClientInternals, rules: InjectionRules): void {
  guardInjection(client, rules);
  guardPairingCode(client, rules);
}

// After the start, only the client's `framenavigated` handler calls inject(), and nobody awaits that handler: a
// rejection ("Execution context was destroyed", whatsapp-web.js #3792) would end the bot's process. It is called for
// the navigation of any frame, and for a new address of the same document too: a document that has the client's
// listeners already would tell each event once more (`qr`, `authenticated`, `ready`).
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
    // One after the other: a second one must see what the first has marked.
    const mine = last.then(injectOnce);
    last = mine.catch(rules.onFailed);
    await last;
    return undefined;
  };
}

// A page that can't be asked is injected as ever: that tells what is wrong with it.
async function isMarked(page: PageHandle | undefined): Promise<boolean> {
  const answer = await page?.evaluate(IS_MARKED).catch(() => false);
  return answer === true;
}

// Nobody waits for it: the client's `initialize()` must resolve no later than it does by itself, and whatever is asked
// of the page later is answered later.
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

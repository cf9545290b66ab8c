import type { ClientInternals, PageHandle } from './client-types.js';

/**
 * Holds a page's navigations until `verdict` resolves: a browser changes the profile's data when it opens the page of a
 * site, not when it is launched (docs/profile.md). If the verdict rejects, the navigation rejects with the same error.
 */
export function holdNavigation(page: PageHandle, verdict: () => Promise<void>): void {
  const goto = page.goto?.bind(page);
  if (goto === undefined) return;
  let asked: Promise<void> | undefined;
  page.goto = async (...args) => {
    asked ??= verdict();
    await asked;
    return goto(...args);
  };
}

/**
 * Whether the client's own `initialize()` sets `pupPage` before it calls the page's `goto()`, as that of whatsapp-web.js
 * does. Only then is it known before a launch that the page can be held.
 *
 * @param client as it was before its `initialize()` was wrapped
 */
export function navigatesByPage(client: object): boolean {
  return initializersOf(client).some((code) => {
    const setsPage = code.search(/\.pupPage\s*=[^=]/);
    return setsPage >= 0 && setsPage < code.search(/\.goto\s*\(/);
  });
}

/** Whether the client launches its browser itself; one that it only connects to may have pages open. */
export function launchesBrowser({ options }: ClientInternals): boolean {
  const { browserWSEndpoint, browserURL } = options?.puppeteer ?? {};
  return browserWSEndpoint === undefined && browserURL === undefined;
}

/** The code of the client's `initialize()`, and of those that it may call by `super`. */
function initializersOf(client: object): readonly string[] {
  const found: string[] = [];
  for (let level: object | null = client; level !== null; level = Object.getPrototypeOf(level)) {
    const initialize: unknown = Object.getOwnPropertyDescriptor(level, 'initialize')?.value;
    if (typeof initialize === 'function') found.push(Function.prototype.toString.call(initialize));
  }
  return found;
}

import type { PageHandle } from './client-types.js';

const FIRST_ERROR_STATUS = 400;
const FIRST_SERVER_ERROR_STATUS = 500;
/** Of the statuses from 400 to 499 those by which somebody refuses or puts off; the others find fault with the request itself. */
const PASSING: ReadonlySet<number> = new Set([403, 404, 408, 425, 429, 451]);

/** Somebody has answered with an error status in place of WhatsApp's page: its front door, a proxy, a provider. */
export class ErrorPageError extends Error {
  override readonly name = 'ErrorPageError';
  readonly status: number;

  constructor(status: number, title: string | undefined) {
    const said = title === undefined ? '' : ` (${JSON.stringify(title)})`;
    super(`WhatsApp's page did not come: the answer was HTTP ${status}${said}`);
    this.status = status;
  }

  /** Whether waiting may heal it, as it does an outage of the network. */
  get mayPass(): boolean {
    return this.status >= FIRST_SERVER_ERROR_STATUS || PASSING.has(this.status);
  }
}

/**
 * Lets a navigation fail that was answered with an error status. puppeteer takes the error page for the one that was asked
 * for, and whatsapp-web.js waits in it for WhatsApp's code, then says no more than "auth timeout".
 *
 * @param rules `applies`: whether the navigation is the start's own; `titleOf`: of the error page, within a deadline
 */
export function refuseErrorPage(
  page: PageHandle,
  rules: { readonly applies: () => boolean; readonly titleOf: () => Promise<string | undefined> },
): void {
  const goto = page.goto?.bind(page);
  if (goto === undefined) return;
  page.goto = async (...args) => {
    const response = await goto(...args);
    const status = statusOf(response);
    if (rules.applies() && status >= FIRST_ERROR_STATUS) {
      throw new ErrorPageError(status, await rules.titleOf());
    }
    return response;
  };
}

/** Of puppeteer's response; 0 where there is none. */
function statusOf(response: unknown): number {
  if (typeof response !== 'object' || response === null || !('status' in response)) return 0;
  const { status } = response;
  const told: unknown = typeof status === 'function' ? status.call(response) : status;
  return typeof told === 'number' ? told : 0;
}

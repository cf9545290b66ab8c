import { isLoggedOutState, lookAtPage } from '../../client/page-probe.js';
import type { SessionContext } from '../context/session-context.js';

/** Whether the session is ready and its page knows of no logout, which it does before the client reports it. */
export async function isStillLoggedIn({ driver, clock, options, state }: SessionContext): Promise<boolean> {
  if (state() !== 'ready') return false;
  const look = await lookAtPage(driver, clock, options.puppeteerTimeoutMs);
  return !isLoggedOutState(look?.state) && state() === 'ready';
}

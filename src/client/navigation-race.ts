import { describeError } from '../errors.js';

/**
 * What puppeteer says of a script whose page navigated under it (ExecutionContext.js names the three as one and the
 * same); "Target closed" is not among them: then the page or its browser is gone.
 */
const PATTERN =
  /Execution context was destroyed|Cannot find context with specified id|Inspected target navigated or closed/;

/**
 * Whether a start failed only because the page navigated while whatsapp-web.js injected its code (#3792): WhatsApp
 * Web does so by itself, after an update for example, and the very next start meets a page that stands still.
 */
export function isNavigationRace(error: unknown): boolean {
  return PATTERN.test(describeError(error).message);
}

import { describeError } from '../errors.js';

/**
 * puppeteer's messages for a script whose page navigated meanwhile (ExecutionContext.js treats the three alike). "Target
 * closed" is not among them, because then the page or its browser is gone.
 */
const PATTERN =
  /Execution context was destroyed|Cannot find context with specified id|Inspected target navigated or closed/;

/**
 * Whether a start failed only because the page navigated while whatsapp-web.js injected its code (#3792). WhatsApp Web
 * navigates by itself, for example after an update, and the next start usually works.
 */
export function isNavigationRace(error: unknown): boolean {
  return PATTERN.test(describeError(error).message);
}

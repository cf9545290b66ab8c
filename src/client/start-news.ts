import { type Clock, withDeadline } from '../clock.js';
import { describeError, errnoOf, isSessionError, toError } from '../errors.js';
import type { PageHandle } from './client-types.js';
import { isNavigationRace } from './navigation-race.js';
import { oneLine } from './start-error.js';

/** A page that is busy with an error of its own is not waited for. */
const TITLE_DEADLINE_MS = 5_000;
const MAX_TITLE_LENGTH = 100;
// The title only: what stands in a page of WhatsApp may be somebody's chats.
const TITLE = `(() => location.protocol.startsWith('http') ? document.title : '')()`;

/** The title of the page that is open; `undefined` where it has none, or does not answer in time. Never rejects. */
export async function titleOf(page: PageHandle | undefined, clock: Clock): Promise<string | undefined> {
  if (page === undefined) return undefined;
  const ask = async () => page.evaluate(TITLE);
  const title = await withDeadline(clock, TITLE_DEADLINE_MS, "the page's title", ask()).catch(
    () => undefined,
  );
  return typeof title === 'string' ? oneLine(title, MAX_TITLE_LENGTH) || undefined : undefined;
}

/** The same where the page is none of WhatsApp's: a provider's block page, the login of a hotel's network. */
export async function foreignTitleOf(
  page: PageHandle | undefined,
  clock: Clock,
): Promise<string | undefined> {
  const title = await titleOf(page, clock);
  return title === undefined || /whatsapp/i.test(title) ? undefined : title;
}

/** What is known of the page in which a start came to nothing. */
export interface PageFacts {
  readonly lastPageError: string | undefined;
  readonly foreignTitle?: string | undefined;
}

/** For the end of a message; empty where nothing is known. */
export function inWords({ lastPageError, foreignTitle }: PageFacts): string {
  const said = [
    ...(foreignTitle === undefined ? [] : [`the page there is ${JSON.stringify(foreignTitle)}`]),
    ...(lastPageError === undefined ? [] : [`last error there: ${lastPageError}`]),
  ];
  return said.length === 0 ? '' : ` (${said.join('; ')})`;
}

/**
 * What the client threw, with what is known of its page: whatsapp-web.js looks for its code in the page, and says no more than
 * "auth timeout" where the page has failed by an error of its own. As it is where nothing is known, or it says all itself.
 */
export function withPageFacts(error: unknown, facts: PageFacts): Error {
  const more = inWords(facts);
  if (more === '' || isSessionError(error) || isNavigationRace(error)) return toError(error);
  const { message } = describeError(error);
  // An error of a script that the client ran there is the page's last error, too.
  const inPage = facts.lastPageError?.replace(/^[^:]*: /, '');
  if (inPage !== undefined && message.includes(inPage)) return toError(error);
  const code = errnoOf(error);
  return Object.assign(new Error(`${message}${more}`, { cause: error }), code !== undefined && { code });
}

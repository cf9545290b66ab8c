import { isNavigationRace } from '../../client/navigation-race.js';
import type { StartOutcome } from '../../client/start-outcome.js';
import type { UnreachableWebCache, WebCache } from '../../client/web-cache.js';
import { describeError, StartFailedError, TimeoutError } from '../../errors.js';
import type { SessionContext } from '../context/session-context.js';
import { isMisfit } from '../restore/restore-search.js';

const MEND =
  "Correct the client's webVersion and the remotePath of its webVersionCache, or set that to { type: 'none' }";

/**
 * Runs a start with a web cache that does not prevent `ready`. A cache that would is switched off with a warning.
 * With a strict cache, the start fails before the browser is launched.
 */
export async function withWebCache(
  webCache: WebCache,
  { warn }: Pick<SessionContext, 'warn'>,
  signal: AbortSignal,
  start: () => Promise<StartOutcome>,
): Promise<StartOutcome> {
  const found = await webCache.settle(signal);
  if (found === undefined) return start();
  if (found.kind === 'unwritable') {
    const { folder, why } = found;
    warn(
      'web-cache-unwritable',
      `whatsapp-web.js can't keep WhatsApp's page in ${folder} (${why}), so it starts without its web cache: otherwise ` +
        "`ready` would never come. Make the folder writable, or set the client's webVersionCache",
    );
    return start();
  }
  if (found.isStrict) return failedBy(found);
  warn('web-cache-unreachable', `${missingPage(found)}, so the newest one is loaded. ${MEND}`);
  return withNote(await start(), found);
}

function missingPage({ version, address, why }: UnreachableWebCache): string {
  return `the page of WhatsApp Web ${version} can't be downloaded from ${address} (${why})`;
}

/** The result when a strict cache's server is down. The start waits for it as long as necessary, as for a store. */
function failedBy(found: UnreachableWebCache): StartOutcome {
  const error = new StartFailedError(
    `${missingPage(found)}, and the client's webVersionCache is strict. ${MEND}, or strict: false to load the newest page`,
    { retryable: !found.isFinal },
  );
  return {
    kind: 'failed',
    cause: 'start-failed',
    error,
    reachedPage: false,
    ...(!found.isFinal && { awaitsServer: true }),
  };
}

/** Adds a note to a failed start that used another page than the bot had chosen, since that may be the cause. */
function withNote(outcome: StartOutcome, found: UnreachableWebCache): StartOutcome {
  if (outcome.kind !== 'failed' || outcome.obstacle !== undefined) return outcome;
  const { error } = outcome;
  if (isMisfit(error) || isNavigationRace(error)) return outcome;
  const { code, message } = describeError(error);
  const text = `${message}; the newest page of WhatsApp Web was loaded, since ${missingPage(found)}`;
  const noted =
    code === 'TIMEOUT'
      ? new TimeoutError(text, { cause: error })
      : Object.assign(new Error(text, { cause: error }), { code });
  return { ...outcome, error: noted };
}

import { withoutCredentials, wordsOf } from '../error-words.js';
import { describeError, errnoOf, isSessionError } from '../errors.js';
import type { EventError } from '../events.js';
import { obstacleInWords, type StartObstacle } from './launch-obstacles.js';
import { launchText } from './launch-text.js';

export type { StartObstacle } from './launch-obstacles.js';

/** What is known of a start that failed. */
export interface FailedStart {
  readonly error: unknown;
  /** Whether its browser had started: a later error of the code may be caused by a browser that ended. */
  readonly launched: boolean;
  /** Default: the platform of this process. */
  readonly platform?: NodeJS.Platform;
  /** Whether a display is set; it may not be running yet. Default false. */
  readonly hasDisplay?: boolean;
}

const MODULE_CODES = new Set([
  'ERR_MODULE_NOT_FOUND',
  'MODULE_NOT_FOUND',
  'ERR_REQUIRE_ESM',
  'ERR_PACKAGE_PATH_NOT_EXPORTED',
  'ERR_UNSUPPORTED_DIR_IMPORT',
]);
/** Errors that last until somebody changes something; on Windows a virus scanner causes the first two for a moment. */
const FORBIDDEN = new Set(['EACCES', 'EPERM', 'EROFS']);
const NO_FOLDER = new Set(['ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EISDIR']);
/** Node's codes for invalid arguments, here caused by puppeteer's options. */
const BAD_ARGUMENT = /^ERR_INVALID_(?:ARG|OPT|URL|RETURN)/;

/**
 * Why a retry can't help. `undefined` if the next attempt may succeed: after EAGAIN, ENOMEM, ETXTBSY, a browser that was
 * killed, and any other error that is not known to last.
 */
export function obstacleOf({
  error,
  launched,
  platform = process.platform,
  hasDisplay = false,
}: FailedStart): StartObstacle | undefined {
  if (isSessionError(error)) return undefined; // its `retryable` decides
  const said = obstacleInWords(wordsOf(error), { hasDisplay });
  if (said !== undefined) return said;
  const code = errnoOf(error) ?? '';
  if (MODULE_CODES.has(code)) {
    return {
      reason: 'a module is missing',
      advice: 'install the packages of the bot again, or add it to the bundle',
    };
  }
  if (NO_FOLDER.has(code) || (FORBIDDEN.has(code) && platform !== 'win32')) {
    return {
      reason: `a file or folder can't be used (${code})`,
      advice:
        "give this user the right to read and write the profile's folder, also what another user left in it",
    };
  }
  return launched ? undefined : ofTheCode(error, code);
}

/** The obstacle for an error in the program itself. Before the browser runs, such an error repeats at every attempt. */
function ofTheCode(error: unknown, code: string): StartObstacle | undefined {
  const isOfCode =
    error instanceof TypeError || error instanceof ReferenceError || error instanceof SyntaxError;
  // fetch() also throws a TypeError, but that is no error in the program.
  const isOfNetwork = isOfCode && (error.cause !== undefined || /fetch failed|network/i.test(error.message));
  if (!BAD_ARGUMENT.test(code) && (!isOfCode || isOfNetwork)) return undefined;
  return {
    reason: 'the program fails before it starts the browser',
    advice:
      "look at the error's stack (its cause): an option of the client, a package that is not whole, or a bundler; whatsapp-web.js and puppeteer stay outside of a bundle",
  };
}

/** Longer texts are cut, because the error of a failed launch quotes everything that the browser wrote. */
const MAX_TEXT = 400;

/**
 * The error of a start without credentials, and short enough for an event and a page: for a browser that did not start,
 * the first line of the message and the last lines that the browser wrote.
 */
export function summaryOf(error: unknown): EventError {
  return { code: describeError(error).code, message: shortened(wordsOf(error)) };
}

/** Does the same as {@link summaryOf} for an error in the form that events carry. */
export function shortError({ code, message }: EventError): EventError {
  return { code, message: shortened(message) };
}

/** A text as a single line of limited length, without credentials. */
export function oneLine(text: string, most: number): string {
  const line = inOneLine(text.slice(0, 4 * most));
  return line.length > most ? `${line.slice(0, most)}…` : line;
}

function shortened(message: string): string {
  const { head, lastLines } = launchText(message);
  if (lastLines.length === 0) return oneLine(head, MAX_TEXT) || 'no message';
  const begin = oneLine(head, MAX_TEXT / 2);
  return `${begin}: ${endOf(lastLines.map(inOneLine), MAX_TEXT - begin.length - 2)}`;
}

/** As many of the last lines as there is room for. Of one that is too long by itself, the beginning and the end are kept. */
function endOf(lines: readonly string[], most: number): string {
  const last = lines.at(-1) ?? '';
  if (last.length > most) {
    const begin = Math.floor(most / 4);
    return `${last.slice(0, begin)}…${last.slice(begin + 1 - most)}`;
  }
  let told = last;
  for (const line of lines.slice(0, -1).reverse()) {
    if (line.length + told.length + 3 > most) break;
    told = `${line} | ${told}`;
  }
  return told;
}

function inOneLine(text: string): string {
  return withoutCredentials(text).replace(/\s+/g, ' ').trim();
}

import { describeError, errnoOf, isSessionError } from '../errors.js';
import type { EventError } from '../events.js';
import { obstacleInWords, type StartObstacle } from './launch-words.js';

export type { StartObstacle } from './launch-words.js';

/** What is known of a start that failed. */
export interface FailedStart {
  readonly error: unknown;
  /** Whether its browser came up: what the code throws afterwards may come of a browser that went away. */
  readonly launched: boolean;
  /** Default: the present one. */
  readonly platform?: NodeJS.Platform;
  /** Whether a display is set, which may not be up yet. Default: none is. */
  readonly hasDisplay?: boolean;
}

const MODULE_CODES = new Set([
  'ERR_MODULE_NOT_FOUND',
  'MODULE_NOT_FOUND',
  'ERR_REQUIRE_ESM',
  'ERR_PACKAGE_PATH_NOT_EXPORTED',
  'ERR_UNSUPPORTED_DIR_IMPORT',
]);
/** Only somebody's hand changes these; on Windows a virus scanner gives the first two for a moment. */
const FORBIDDEN = new Set(['EACCES', 'EPERM', 'EROFS']);
const NO_FOLDER = new Set(['ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EISDIR']);
/** Codes of node for arguments that are none: puppeteer's options. */
const BAD_ARGUMENT = /^ERR_INVALID_(?:ARG|OPT|URL|RETURN)/;

/**
 * Whether trying again is no use, and why. `undefined`: the next attempt may succeed, as after EAGAIN, ENOMEM, ETXTBSY, a
 * browser that was killed, and whatever else is not known to last.
 */
export function obstacleOf({
  error,
  launched,
  platform = process.platform,
  hasDisplay = false,
}: FailedStart): StartObstacle | undefined {
  if (isSessionError(error)) return undefined; // says itself whether it is worth another attempt
  const said = obstacleInWords(describeError(error).message, { hasDisplay });
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

/** An error of the program, not of the world. Before there is a browser it comes of nothing that changes by itself. */
function ofTheCode(error: unknown, code: string): StartObstacle | undefined {
  const isOfCode =
    error instanceof TypeError || error instanceof ReferenceError || error instanceof SyntaxError;
  // What fetch() throws says nothing of the code.
  const isOfNetwork = isOfCode && (error.cause !== undefined || /fetch failed|network/i.test(error.message));
  if (!BAD_ARGUMENT.test(code) && (!isOfCode || isOfNetwork)) return undefined;
  return {
    reason: 'the program fails before it starts the browser',
    advice:
      "look at the error's stack (its cause): an option of the client, a package that is not whole, or a bundler; whatsapp-web.js and puppeteer stay outside of a bundle",
  };
}

/** Longer texts are cut: a launch that fails quotes all that the browser wrote. */
const MAX_TEXT = 400;
const MAX_LOG_LINES = 3;

/**
 * An error of a start, short enough for an event and a page, and without credentials: of a browser that did not come up
 * the first line, and the last lines that it wrote.
 */
export function summaryOf(error: unknown): EventError {
  return shortError(describeError(error));
}

/** The same of an error as events carry it. */
export function shortError({ code, message }: EventError): EventError {
  return { code, message: shortened(withoutCredentials(readable(message))) };
}

/** A single line of a text, bounded, without credentials. */
export function oneLine(text: string, most: number): string {
  const line = withoutCredentials(text.slice(0, 4 * most))
    .replace(/\s+/g, ' ')
    .trim();
  return line.length > most ? `${line.slice(0, most)}…` : line;
}

function readable(message: string): string {
  const [head = '', log] = message.slice(0, 100_000).split(/^stderr:$/m);
  if (log === undefined) return head;
  const lines = log
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('TROUBLESHOOTING'));
  const last = lines.slice(-MAX_LOG_LINES).join(' | ');
  return last === '' ? head : `${head.trim()}: ${last}`;
}

function shortened(text: string): string {
  return oneLine(text, MAX_TEXT) || 'no message';
}

/** `http://user:password@proxy`, and `--proxy-server=user:password@proxy`. */
function withoutCredentials(text: string): string {
  return text
    .replace(/\b([a-z][a-z\d+.-]{0,30}:\/\/)[^\s/@]{0,500}@/gi, '$1***@')
    .replace(/([=\s"'])[^\s/@:="']{1,200}:[^\s/@:"']{1,200}@(?=[\w.-]+:\d)/g, '$1***@');
}

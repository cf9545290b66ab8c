/** The words for what was thrown, or rejected, without a value. */
const NO_REASON = 'it failed without a reason';
const NO_MESSAGE = 'no message';
const NO_TEXT = 'something was thrown that has no text';

/** Limits for what is looked at: an error may be its own cause. */
const MAX_DEPTH = 5;
const MAX_ERRORS = 3;
/** An error message is cut to this length for events and the log, because it may quote everything that a browser wrote. */
const MAX_MESSAGE = 2_000;
/** Of a message that is cut, the end counts as much as the beginning: it often says what went wrong last. */
const MAX_END = 1_000;

/** Names that say nothing. */
const NAMELESS = /^(?:Error|Object|TypeError|AggregateError|ErrorEvent)$/;
/** Messages that say nothing where there is anything else to tell. */
const EMPTY_WORDS = /^(?:unknown ?error|error|null|undefined|\[object \w+\])?$/i;
/** The fields of a plain object that say what went wrong, besides its message. */
const TELLING_FIELDS = ['description', 'statusText', 'reason', 'status', 'statusCode', 'type'] as const;

/**
 * The words of any thrown value, as long as they are: also of an error whose text is in its cause (`fetch failed`), in its
 * `errors` (a connection to several addresses), in its `error` (an event of a socket), or only in its name or code. Never
 * throws: a callback of the bot may throw any value.
 */
export function wordsOf(error: unknown): string {
  try {
    return read(error, 0) ?? wordsFor(error);
  } catch {
    return NO_TEXT;
  }
}

/** A message for events and the log: bounded, without the credentials in an address. */
export function tellable(message: string): string {
  const text =
    message.length <= MAX_MESSAGE
      ? message
      : `${message.slice(0, MAX_MESSAGE - MAX_END)} … ${message.slice(-MAX_END)}`;
  return withoutCredentials(text);
}

/** Hides the credentials in `http://user:password@proxy` and in `--proxy-server=user:password@proxy`. */
export function withoutCredentials(text: string): string {
  return text
    .replace(/\b([a-z][a-z\d+.-]{0,30}:\/\/)[^\s/@]{0,500}@/gi, '$1***@')
    .replace(/([=\s"'])[^\s/@:="']{1,200}:[^\s/@:"']{1,200}@(?=[\w.-]+:\d)/g, '$1***@');
}

function read(error: unknown, depth: number): string | undefined {
  if (error === undefined || error === null || depth > MAX_DEPTH) return undefined;
  if (typeof error !== 'object' && typeof error !== 'function') return textOf(error);
  const fields = error as Readonly<Record<string, unknown>>;
  const own = textOf(fields.message);
  const inner = innerWords(fields, depth);
  if (own === undefined || EMPTY_WORDS.test(own)) return namedWords(fields, own, inner);
  // An error of this library says in its message what there is to say.
  const isWhole = inner === undefined || isOfLibrary(fields) || own.includes(inner);
  return isWhole ? own : `${own}: ${inner}`;
}

/** The words of what an error is about: its cause, the errors in it, the error of an event. */
function innerWords(
  { errors, error, cause }: Readonly<Record<string, unknown>>,
  depth: number,
): string | undefined {
  if (Array.isArray(errors) && errors.length > 0) {
    const words = errors.slice(0, MAX_ERRORS).map((one) => read(one, depth + 1));
    const known = [...new Set(words.filter((one) => one !== undefined))].join('; ');
    if (known !== '') return known;
  }
  return read(error, depth + 1) ?? read(cause, depth + 1);
}

/** The words for an error whose message says nothing. */
function namedWords(
  fields: Readonly<Record<string, unknown>>,
  own: string | undefined,
  inner: string | undefined,
): string | undefined {
  const { name, code } = fields;
  const names = [name, code].filter((one) => typeof one === 'string' && one !== '' && !NAMELESS.test(one));
  const details = TELLING_FIELDS.map((field) => textOf(fields[field]));
  const said = [...new Set([...names, own, inner ?? details.find((one) => one !== undefined)])];
  const words = said.filter((one) => one !== undefined && one !== '[object Object]').join(': ');
  if (words !== '') return words;
  const text = textOf(String(fields));
  return text === undefined || EMPTY_WORDS.test(text) ? undefined : text;
}

function wordsFor(wordless: unknown): string {
  if (wordless === undefined || wordless === null) return NO_REASON;
  return wordless instanceof Error || typeof wordless === 'string' ? NO_MESSAGE : NO_TEXT;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'object' || typeof value === 'function' || value === undefined) return undefined;
  return String(value).trim() || undefined;
}

function isOfLibrary(fields: object): boolean {
  return (fields as { readonly [brand]?: unknown })[brand] === true;
}

const brand = Symbol.for('wwebjs-persistent-session.error');

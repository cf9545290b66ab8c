/** Of a longer name only the end is examined. */
const MAX_NAME = 100;
/**
 * `password=`, `"password" : `, `user[password]=`, `password=>`, `password%3D`. Repetitions are limited, so that
 * matching takes linear time.
 */
const SEPARATOR = /\\{0,4}["'`\]]?\s{0,8}(?:=>|:=|[=:]|%3[ad])\s{0,8}/gi;
/** Words that make a name secret anywhere in it; `_`, `-` and `.` are removed from the name first. */
const SECRET_WITHIN =
  /password|passwd|passphrase|secret|token|credential|signature|authorization|cookie|(?:api|access|account|private|shared|session|encryption|signing|master)key/;
/** Words that make a name secret only as the whole name, or as one of its words. */
const SECRET_WORDS = new Set(['pass', 'pwd', 'pw', 'sig', 'auth', 'jwt', 'pgpass']);
/** Headers whose value may contain blanks, commas and quotes. */
const WHOLE_LINE = /authorization|cookie/;
const SCHEME = /(?:bearer|basic|digest|negotiate|token)\s{1,8}/iy;
const OPENING_QUOTE = /\\{0,4}["'`]/y;
const REST_OF_LINE = /[^\r\n]*/y;
/** A value ends at a blank, or at a quote, comma or bracket that closes something; passwords may contain these. */
const BARE = /(?:[^\s;"'`,)\]}]|["'`,)\]}](?![\s,;:)\]}"'`]|$))+/y;
/** A value of a field in a query or a form ends at `&`, too. */
const FIELD = /(?:[^\s;&"'`,)\]}]|["'`,)\]}](?![\s,;:)\]}"'`&]|$))+/y;

/**
 * Replaces the values of names that denote a secret: `DB_PASSWORD=...`, `"client_secret": "..."`, `?sig=...`,
 * `Authorization: Digest ...`. Works in one pass from left to right, in time linear in the length of the text.
 */
export function maskNamedSecrets(text: string, mask: string): string {
  let told = '';
  let copied = 0;
  const separator = new RegExp(SEPARATOR);
  for (let match = separator.exec(text); match !== null; match = separator.exec(text)) {
    const name = nameBefore(text, match.index);
    if (!isSecretName(name) || isPath(text, match, name)) continue;
    const start = match.index + match[0].length;
    const [from, end] = valueAt(text, start, name, match.index - name.length);
    if (end === from) continue; // there is no value, or a quote that belongs to something else ends here
    told += `${text.slice(copied, match.index)}=${mask}`;
    copied = end;
    separator.lastIndex = end;
  }
  return told + text.slice(copied);
}

function nameBefore(text: string, end: number): string {
  let start = end;
  while (start > 0 && end - start < MAX_NAME && /[\w.-]/.test(text.charAt(start - 1))) start -= 1;
  return text.slice(start, end);
}

function isSecretName(name: string): boolean {
  if (SECRET_WITHIN.test(name.replace(/[_.-]/g, '').toLowerCase())) return true;
  const words = name
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[_.-]/);
  return words.some((word) => SECRET_WORDS.has(word));
}

/** In `/run/secrets: permission denied` the name is a path, and the text after it says what is wrong with the file. */
function isPath(text: string, { 0: separator, index }: RegExpExecArray, name: string): boolean {
  const isInFolder = text.charAt(index - name.length - 1) === '/';
  return separator.includes(':') && (isInFolder || name.startsWith('.'));
}

/** The start and the end of the value, without the quotes around it. */
function valueAt(text: string, at: number, name: string, nameAt: number): readonly [number, number] {
  const quote = matchAt(OPENING_QUOTE, text, at);
  if (quote !== '') return [at + quote.length, closingQuote(text, quote, at + quote.length)];
  if (WHOLE_LINE.test(name.toLowerCase())) return [at, at + matchAt(REST_OF_LINE, text, at).length];
  const isField = nameAt > 0 && /[?&]/.test(text.charAt(nameAt - 1));
  const from = at + matchAt(SCHEME, text, at).length;
  return [at, from + matchAt(isField ? FIELD : BARE, text, from).length];
}

/** The position of the closing quote; the end of the text if there is none. */
function closingQuote(text: string, quote: string, from: number): number {
  for (let at = text.indexOf(quote, from); at !== -1; at = text.indexOf(quote, at)) {
    const isEscaped = isOddlyEscaped(text, at, from);
    const isDoubled = text.startsWith(quote, at + quote.length);
    if (!isEscaped && !isDoubled) return at;
    at += isEscaped ? quote.length : 2 * quote.length;
  }
  return text.length;
}

/** Whether an odd number of backslashes stands before a quote, which makes the quote part of the value. */
function isOddlyEscaped(text: string, at: number, from: number): boolean {
  let before = at;
  while (before > from && text.charAt(before - 1) === '\\') before -= 1;
  return (at - before) % 2 === 1;
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  const sticky = new RegExp(pattern);
  sticky.lastIndex = at;
  return sticky.exec(text)?.[0] ?? '';
}

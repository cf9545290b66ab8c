import { StoreError } from '../errors.js';

/** Longest name between two `/`, in bytes of UTF-8. It leaves room for the prefixes of a file system store. */
const MAX_SEGMENT_BYTES = 200;
/** Longest key, in bytes of UTF-8; S3 accepts 1024. */
const MAX_KEY_BYTES = 900;
/** The maximum number of names in a key, which limits the walk of a listing. */
const MAX_SEGMENTS = 32;

// Windows reserves these names for devices, in any case and with any extension (Microsoft, "Naming Files, Paths, and
// Namespaces"); the superscript digits count as digits there.
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])$/i;

/** Name prefixes that file system stores use for their own files beside the objects. */
export const RESERVED_PREFIXES = { temporary: '.tmp-', lock: '.lock-', unlock: '.unlock-' } as const;

/**
 * Refuses a key that some store or operating system would refuse, change, or map to another path.
 *
 * A portable key is one to 32 names separated by `/`, each of 1 to 200 bytes, 900 bytes in all, in Unicode NFC,
 * without control characters, lone surrogates and `\ : < > " | ? *`; no name is `.` or `..`, ends with a dot or a
 * space, is a Windows device (`nul`, `com1.txt`) or begins with a prefix that stores use themselves (`.tmp-`, `.lock-`,
 * `.unlock-`). Avoid two keys that differ only in case, because they are one file on macOS and Windows. Also avoid a
 * key that is the folder of another one (`a` and `a/b`), because no file system can store both.
 *
 * @throws StoreError (STORE, not retryable) that says what is wrong.
 * @example assertPortableKey('shop/objects/1f/1f3a'); // fine
 */
export function assertPortableKey(key: string): void {
  const problem = problemOf(key);
  if (problem !== undefined) refuse(key, problem);
}

/** Whether {@link assertPortableKey} accepts the key. */
export function isPortableKey(key: string): boolean {
  return problemOf(key) === undefined;
}

/**
 * Refuses a prefix with which no portable key can begin. A prefix may be empty, and may end with `/` or within a name.
 *
 * @throws StoreError (STORE, not retryable).
 */
export function assertPortablePrefix(prefix: string): void {
  if (prefix === '') return;
  if (typeof prefix !== 'string') refuse(prefix, 'it is not a string');
  // The last name may be incomplete (`con` of `config`, `.` of `.cache`) and is never used as a path, so it is not
  // checked.
  const folder = prefix.slice(0, Math.max(0, prefix.lastIndexOf('/')));
  const problem = prefix.startsWith('/')
    ? 'it begins with "/"'
    : folder === ''
      ? undefined
      : problemOf(folder);
  if (problem !== undefined) refuse(prefix, problem);
}

function problemOf(key: string): string | undefined {
  if (typeof key !== 'string') return 'it is not a string';
  if (key === '') return 'it is empty';
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) return `it is longer than ${MAX_KEY_BYTES} bytes`;
  if (/\p{Surrogate}/u.test(key)) return 'it has half a character (a lone surrogate)';
  if (key !== key.normalize('NFC')) return 'it is not in Unicode normal form C';
  if (key.startsWith('/')) return 'it begins with "/"';
  const segments = key.split('/');
  if (segments.length > MAX_SEGMENTS) return `it has more than ${MAX_SEGMENTS} names`;
  for (const segment of segments) {
    const problem = problemOfName(segment);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function problemOfName(name: string): string | undefined {
  if (name === '') return 'it has an empty name between two "/" or at its end';
  if (name === '.' || name === '..') return `it has the name "${name}"`;
  if (/\p{Cc}/u.test(name)) return 'it has a control character';
  const symbol = /[\\:<>"|?*]/.exec(name)?.[0];
  if (symbol !== undefined) return `it has the character ${symbol}`;
  if (/[. ]$/.test(name)) return 'a name in it ends with a dot or a space';
  if (Buffer.byteLength(name) > MAX_SEGMENT_BYTES)
    return `a name in it is longer than ${MAX_SEGMENT_BYTES} bytes`;
  const stem = name.split('.', 1)[0]?.trimEnd() ?? '';
  if (WINDOWS_DEVICE.test(stem)) return `"${stem}" is a device on Windows`;
  const lower = name.toLowerCase(); // `.LOCK-x` is the same file as `.lock-x` on macOS and Windows
  const reserved = Object.values(RESERVED_PREFIXES).find((prefix) => lower.startsWith(prefix));
  if (reserved !== undefined) return `names that begin with "${reserved}" belong to the stores`;
  return undefined;
}

function refuse(key: string, problem: string): never {
  const shown = typeof key === 'string' ? JSON.stringify(key.slice(0, 120)) : typeof key;
  throw new StoreError(`the key ${shown} is not portable: ${problem}`, { retryable: false });
}

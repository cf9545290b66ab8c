import { ConfigurationError } from '../errors.js';

/** Returns an accepted value, or throws. `name` is the option or variable that the message names. */
export type Check<T> = (value: unknown, name: string) => T;

/** The longest delay that a node timer supports. */
const MAX_MS = 2 ** 31 - 1;
const MAX_SHOWN = 60;
const MAX_CLIENT_ID = 100;
/** Only a shell expands these, but a hosting panel or an env file does not; `~` would become a folder of the bot. */
const UNEXPANDED = /^~(?=$|[\\/])|^\$\w+|\$\{\w+\}|^%\w+%/;
/** A file with one of these names is a device on Windows, whatever its extension. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)$/i;

/** A deadline, a delay or an age. */
export const milliseconds: Check<number> = integer(
  1,
  MAX_MS,
  'an integer from 1 to 2147483647 (milliseconds)',
);

/** The time between two runs of a timer. */
export const interval: Check<number> = integer(
  0,
  MAX_MS,
  'an integer from 1 to 2147483647 (milliseconds), or 0 for no timer',
);

export const count: Check<number> = integer(0, Number.MAX_SAFE_INTEGER, 'an integer, 0 or more');

export const positiveCount: Check<number> = integer(1, Number.MAX_SAFE_INTEGER, 'an integer, 1 or more');

export const countOrInfinity: Check<number> = (value, name) =>
  value === Number.POSITIVE_INFINITY
    ? value
    : integer(0, Number.MAX_SAFE_INTEGER, 'an integer, 0 or more, or Infinity')(value, name);

export const megabytes: Check<number> = (value, name) =>
  typeof value === 'number' && Number.isFinite(value) && value > 0
    ? value
    : refuse(name, show(value), 'a number above 0 (megabytes)');

export const clientId: Check<string> = (value, name) =>
  typeof value === 'string' && /^[-_\w]+$/.test(value) && value.length <= MAX_CLIENT_ID && !DEVICE.test(value)
    ? value
    : refuse(
        name,
        show(value),
        `1 to ${MAX_CLIENT_ID} of the characters a-z A-Z 0-9 - _ (and no device name)`,
      );

/** A folder path. An address is refused without being shown, because it may contain a password. */
export const path: Check<string> = (value, name) => {
  const expected = 'the path of a folder';
  if (typeof value !== 'string' || value.trim() === '' || value.includes('\0')) {
    return refuse(name, show(value), expected);
  }
  if (/^[a-z][a-z\d+.-]+:\/\//i.test(value)) {
    return refuse(name, 'an address', `${expected}; for remote storage give a store`);
  }
  if (UNEXPANDED.test(value)) {
    return refuse(name, show(value), `${expected}, written out: ~ and $HOME are not expanded`);
  }
  if (/^(undefined|null)(?=$|[\\/])/.test(value)) {
    return refuse(name, show(value), `${expected}; is the variable that it was made of set?`);
  }
  return value;
};

export function oneOf<const T extends string>(...accepted: readonly T[]): Check<T> {
  return (value, name) =>
    accepted.find((one) => one === value) ??
    refuse(name, show(value), accepted.map((one) => `'${one}'`).join(' or '));
}

export function listOf<T>(check: Check<T>): Check<readonly T[]> {
  return (value, name) => {
    if (!Array.isArray(value)) return refuse(name, show(value), 'a list');
    const checked = value.map((item: unknown, index) => check(item, `${name}[${index}]`));
    return Object.freeze([...new Set(checked)]);
  };
}

/**
 * An object with these functions. A refused value is described only by its type, because a connection string may
 * contain a password.
 */
export function withMethods<T>(what: string, ...methods: readonly string[]): Check<T> {
  return (value, name) => {
    const missing = isObject(value)
      ? methods.filter((method) => typeof value[method] !== 'function')
      : methods;
    if (missing.length === 0) return value as T;
    const given = isObject(value) ? `an object without ${missing.join(', ')}` : typeOf(value);
    return refuse(name, given, `${what} (an object with ${methods.join(', ')})`);
  };
}

export const randomSource: Check<() => number> = (value, name) =>
  typeof value === 'function'
    ? (value as () => number)
    : refuse(name, typeOf(value), 'a function that returns a number from 0 to 1');

/** Throws the common message for a wrong option. */
export function refuse(name: string, given: string, expected: string): never {
  throw new ConfigurationError(`${name}: ${given} is not accepted; expected ${expected}`);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A value as messages show it: shortened, on one line, and without the contents of objects. */
export function show(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value);
  }
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : typeOf(value);
}

function integer(least: number, most: number, expected: string): Check<number> {
  return (value, name) =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
      ? value
      : refuse(name, show(value), expected);
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

import { maskNamedSecrets } from './named-secrets.js';

/** Longer messages are cut: an error may quote a whole reply of a server. */
const MAX_MESSAGE = 500;
const MASK = '***';

/** A run without blanks, in which an address may stand. */
const WORD = /\S+/g;
const PRIVATE_KEY = /-----BEGIN [A-Z ]{0,40}KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}KEY-----|$)/g;
const BEARER = /\b(bearer|basic|digest)\s{1,8}[\w.~+/=-]{8,}/gi;

/** Takes secrets out of what is told. */
export class Redactor {
  readonly #secrets: () => readonly string[];

  /** @param secrets what must never be told, whatever it looks like */
  constructor(secrets: () => readonly string[]) {
    this.#secrets = secrets;
  }

  /** A message of an error: one line without a stack, shortened. */
  readonly message = (text: string): string => {
    const [line = ''] = this.text(text).split(/\r?\n/, 1);
    const shown = line.trim() || 'no message';
    return shown.length > MAX_MESSAGE ? `${shown.slice(0, MAX_MESSAGE)}…` : shown;
  };

  /** Any text. Linear in its length: it may be a whole reply of a server, made to be slow. */
  text(text: string): string {
    let told = text;
    for (const secret of this.#secrets()) told = told.replaceAll(secret, MASK);
    told = told.replace(PRIVATE_KEY, MASK);
    if (told.includes('://')) told = told.replace(WORD, withoutCredentials);
    return maskNamedSecrets(told, MASK).replace(BEARER, `$1 ${MASK}`);
  }

  /** A copy of a JSON-safe value, every string of it redacted. */
  value<T>(value: T): T {
    return JSON.parse(this.json(value)) as T;
  }

  /** A JSON-safe value as JSON, every string of it redacted. */
  json(value: unknown): string {
    return JSON.stringify(value, (_key, part: unknown) =>
      typeof part === 'string' ? this.text(part) : part,
    );
  }
}

/** `postgres://user:password@host`, up to the last `@`: in a password `@` and `/` may stand, although they should not. */
function withoutCredentials(word: string): string {
  const address = word.indexOf('://');
  const end = word.lastIndexOf('@');
  return address === -1 || end < address ? word : `${word.slice(0, address + 3)}${MASK}${word.slice(end)}`;
}

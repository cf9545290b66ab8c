import { maskNamedSecrets } from './named-secrets.js';

/** Longer messages are cut, because an error may quote the whole reply of a server. */
const MAX_MESSAGE = 500;
const MASK = '***';

/** A text without blanks, which may contain a URL. */
const WORD = /\S+/g;
const PRIVATE_KEY = /-----BEGIN [A-Z ]{0,40}KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}KEY-----|$)/g;
const BEARER = /\b(bearer|basic|digest)\s{1,8}[\w.~+/=-]{8,}/gi;

/** Removes secrets from texts and values before they are told. */
export class Redactor {
  readonly #secrets: () => readonly string[];

  /** @param secrets texts that must never be told, whatever they look like */
  constructor(secrets: () => readonly string[]) {
    this.#secrets = secrets;
  }

  /** An error message: one line without a stack, shortened and redacted. */
  readonly message = (text: string): string => {
    const [line = ''] = this.text(text).split(/\r?\n/, 1);
    const shown = line.trim() || 'no message';
    return shown.length > MAX_MESSAGE ? `${shown.slice(0, MAX_MESSAGE)}…` : shown;
  };

  /** Redacts any text, in linear time: it may be a server's whole reply that was made to be slow to process. */
  text(text: string): string {
    let told = text;
    for (const secret of this.#secrets()) told = told.replaceAll(secret, MASK);
    told = told.replace(PRIVATE_KEY, MASK);
    if (told.includes('://')) told = told.replace(WORD, withoutCredentials);
    return maskNamedSecrets(told, MASK).replace(BEARER, `$1 ${MASK}`);
  }

  /** A copy of a JSON-safe value in which every string is redacted. */
  value<T>(value: T): T {
    return JSON.parse(this.json(value)) as T;
  }

  /** A JSON-safe value as JSON in which every string is redacted. */
  json(value: unknown): string {
    return JSON.stringify(value, (_key, part: unknown) =>
      typeof part === 'string' ? this.text(part) : part,
    );
  }
}

/**
 * Removes `user:password` from `postgres://user:password@host`. It ends at the last `@`, because a password may contain
 * `@` and `/`, although it should not.
 */
function withoutCredentials(word: string): string {
  const address = word.indexOf('://');
  const end = word.lastIndexOf('@');
  return address === -1 || end < address ? word : `${word.slice(0, address + 3)}${MASK}${word.slice(end)}`;
}

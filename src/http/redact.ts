/** Longer messages are cut: an error may quote a whole reply of a server. */
const MAX_MESSAGE = 500;
const MASK = '***';

/** `postgres://user:password@host`. Bounded: a long text of dots and letters must not take quadratic time. */
const CREDENTIALS_IN_ADDRESS = /\b([a-z][a-z\d+.-]{0,30}:\/\/)[^\s/@]{0,500}@/gi;
/** `password=...`, `"secret": "..."`, `Authorization: Bearer ...` */
const NAMED_SECRET =
  /\b(pass(?:word|wd|phrase)?|pwd|secret(?:[-_]?(?:access)?[-_]?key)?|(?:access[-_]?|session[-_]?)?token|api[-_]?key|access[-_]?key(?:[-_]?id)?|authorization|cookie|signature)\b["']?\s*[=:]\s*["']?(?:bearer\s+|basic\s+)?[^\s"',;&)}]+/gi;
const BEARER = /\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi;

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

  /** Any text. */
  text(text: string): string {
    let told = text;
    for (const secret of this.#secrets()) told = told.replaceAll(secret, MASK);
    return told
      .replace(CREDENTIALS_IN_ADDRESS, `$1${MASK}@`)
      .replace(NAMED_SECRET, `$1=${MASK}`)
      .replace(BEARER, `$1 ${MASK}`);
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

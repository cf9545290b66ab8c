import { describeError, errnoOf, isSessionError, StoreError } from '../../errors.js';
import { throwIfAborted } from '../body.js';

/** What the store was asked to do when it failed. */
export interface Asked {
  /** Name of the store. */
  readonly name: string;
  readonly schema: string;
  /** For the message: `put "shop/a"`. */
  readonly action: string;
  readonly signal?: AbortSignal | undefined;
}

/** What helps, by SQLSTATE (PostgreSQL, Appendix A), or by the code of node. None of these goes away by itself. */
const ADVICE: Readonly<Record<string, string>> = {
  '28P01': 'check the user and the password',
  '28000': 'check the user, the password, and whether the server wants TLS (option ssl)',
  '3D000': 'there is no such database: create it, or check the name in the connection settings',
  '42501': 'the user lacks a right: docs/stores/postgres.md lists those that are needed',
  '42P01': 'its tables are gone: was the schema dropped? Start again to make it anew',
  '3F000': 'its schema is gone: was it dropped? Start again to make it anew',
  '42883': 'its functions are gone, or the server is older than Postgres 12',
  '0A000': 'the server cannot do what the store needs; it must be Postgres 12 or newer',
};

/** The server is there and says that it will be able to later. */
const WORTH_ANOTHER_TRY =
  /^(?:08|40|53|57|58|25006|25P0[34]|55P03|XX)|^E(?:CONN|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|AI_AGAIN|NOTFOUND)/;

/** What PgBouncer says with the code of a broken protocol, and node or pg without any code, but is for good. */
const FOR_GOOD: readonly (readonly [RegExp, string])[] = [
  [
    /password authentication failed|SASL|auth(?:entication)? failed|no such user/i,
    'check the user and the password',
  ],
  [/no such database/i, 'there is no such database: create it, or check the name in the connection settings'],
  [/does not support SSL/i, 'the server has no TLS: set ssl: false, or sslmode=disable in the URL'],
  [
    /unsupported startup parameter/i,
    'take that parameter out of the URL, out of the settings, or out of PGOPTIONS',
  ],
];

/** What `pg` and its pool say, without any code, when their own deadline of a connection is over. */
const OUT_OF_TIME =
  /^(?:timeout exceeded when|timeout expired|Connection terminated due to connection timeout|Query read timeout)/;

const UNTRUSTED = /SELF_SIGNED|CERT_|UNABLE_TO_(?:VERIFY|GET_ISSUER)|ERR_TLS|ERR_SSL|CERTIFICATE|EPROTO/;

/** An error of `pg`, of the server or of node as an error of the store. */
export function toStoreFault({ name, schema, action, signal }: Asked, error: unknown): unknown {
  throwIfAborted(signal);
  if (isSessionError(error)) return error;
  const code = errnoOf(error);
  const { message: words } = describeError(error);
  const advice = adviceOf(code, words);
  const why = code === undefined || words.includes(code) ? words : `${words} (${code})`;
  const where = code?.startsWith('42') || code === '3F000' ? ` (schema "${schema}")` : '';
  return new StoreError(`${name} could not ${action}${where}: ${why}${advice ? `; ${advice}` : ''}`, {
    cause: code === undefined && OUT_OF_TIME.test(words) ? timeoutOf(error, words) : error,
    retryable:
      advice === undefined && (code === undefined || !isSqlState(code) || WORTH_ANOTHER_TRY.test(code)),
  });
}

/** Whether the connection broke, so that what the server has done is not known. */
export function isLostConnection(error: unknown): boolean {
  const code = errnoOf(error);
  if (code !== undefined)
    return /^(?:08|57P0[1235]|25P0[34])|^E(?:CONN|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH)/.test(code);
  const message = error instanceof Error ? error.message : '';
  return /^Connection terminated|connection error and is not queryable|timeout expired/.test(message);
}

/** Whether the server takes no writes: it is a standby, or has become one. */
export function isOfStandby(error: unknown): boolean {
  return errnoOf(error) === '25006';
}

/** Whether the transaction was undone only because it met another one. */
export function isRaceOfTransactions(error: unknown): boolean {
  const code = errnoOf(error);
  return code === '40001' || code === '40P01';
}

/** Whether the schema, or what is in it, does not exist yet. */
export function isMissingSchema(error: unknown): boolean {
  const code = errnoOf(error);
  return code === '42P01' || code === '3F000';
}

function timeoutOf(cause: unknown, words: string): Error {
  return Object.assign(new Error(words, { cause }), { name: 'TimeoutError' });
}

function adviceOf(code: string | undefined, words: string): string | undefined {
  const known = code === undefined ? undefined : ADVICE[code];
  if (known !== undefined) return known;
  if (code !== undefined && UNTRUSTED.test(code)) {
    return 'the certificate of the server is not trusted: give the option ssl its ca';
  }
  if (code !== undefined && !code.startsWith('08') && !/^ERR_/.test(code)) return undefined;
  return FOR_GOOD.find(([pattern]) => pattern.test(words))?.[1];
}

function isSqlState(code: string): boolean {
  return /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]{4}$/.test(code);
}

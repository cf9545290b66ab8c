import { describeError, errnoOf, isSessionError, StoreError } from '../../errors.js';
import { throwIfAborted } from '../body.js';

/** What the store was asked to do when it failed. */
export interface Asked {
  /** Name of the store. */
  readonly name: string;
  /** For the message: `put "shop/a"`. */
  readonly action: string;
  readonly signal?: AbortSignal | undefined;
}

interface Remedy {
  readonly pattern: RegExp;
  readonly advice: string;
  readonly retryable: boolean;
}

/**
 * What helps, by the first word of the server's answer, or by the code or words of node and the clients. A script's error
 * holds the word of the command that failed in it.
 */
const REMEDIES: readonly Remedy[] = [
  forGood(/\bWRONGPASS\b|invalid (?:username-)?password/, 'check the user and the password'),
  forGood(/\bNOAUTH\b/, 'the server wants a password: give one in the url, or by the option password'),
  forGood(
    /AUTH.* without any password configured|no password is set/,
    'the server has no password: leave it out',
  ),
  forGood(/\bNOPERM\b/, 'the user lacks a right: docs/stores/redis.md lists those that are needed'),
  forGood(/DB index is out of range|SELECT is not allowed/, 'there is no such database: check its number'),
  forGood(/\bWRONGTYPE\b/, 'somebody else uses keys of this prefix: give the option prefix another one'),
  forGood(/\b(?:MOVED|CROSSSLOT)\b/, 'the server is a cluster: give a client that was made for clusters'),
  forGood(/subscriber mode/, 'the client is subscribed to channels: give a client of its own'),
  forGood(/client is closed/i, 'call connect() of the client before the session starts'),
  forGood(
    /SELF_SIGNED|CERT_|UNABLE_TO_(?:VERIFY|GET_ISSUER)|CERTIFICATE/,
    'the certificate of the server is not trusted: give the option tls its ca',
  ),
  forGood(/EPROTO|ERR_SSL|ERR_TLS/, 'is there TLS at this port? rediss:// is with it, redis:// without'),
  forNow(/\bOOM\b/, 'its memory is full (maxmemory): give it more, or keep fewer snapshots'),
  forNow(
    /\bREADONLY\b/,
    'it is a replica: give the address of the primary, or wait for the end of a failover',
  ),
  forNow(/\bLOADING\b/, 'it is reading its data from disk after a start'),
  forNow(
    /\bMISCONF\b/,
    'it can not write to its disk, and takes no changes: look at its log, and at the room there',
  ),
  forNow(/\b(?:MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|NOGOODSLAVE)\b/, 'it waits for its other servers'),
  forNow(/\bBUSY\b/, 'another script runs in it'),
  forNow(/max number of clients/, 'it has too many connections (maxclients)'),
];

/** Any other answer of the server that is an error; it would be the same the next time. */
const REPLY = /^(?:[A-Z]+ |-)/;
const COMMAND_ARGUMENTS = /,? with args beginning with:.*$/s;

/** An error of the client, of the server or of node as an error of the store. */
export function toStoreFault({ name, action, signal }: Asked, error: unknown): unknown {
  throwIfAborted(signal);
  if (isSessionError(error)) return error;
  const { cause, words } = withoutArguments(error);
  const code = errnoOf(error);
  const why = code === undefined || words.includes(code) ? words : `${words} (${code})`;
  const remedy = REMEDIES.find(({ pattern }) => pattern.test(why));
  const advice = remedy === undefined ? '' : `; ${remedy.advice}`;
  return new StoreError(`${name} could not ${action}: ${why}${advice}`, {
    cause,
    retryable: remedy?.retryable ?? (code !== undefined || !REPLY.test(words)),
  });
}

/** Whether the connection broke, so that what the server has done is not known. */
export function isLostConnection(error: unknown): boolean {
  const code = errnoOf(error);
  if (code !== undefined) return /^E(?:CONN|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH)/.test(code);
  if (!(error instanceof Error) || isSessionError(error)) return false;
  return /connection is closed|socket closed|connection.*(?:lost|reset|ended)|disconnects? client|stream isn't writeable|connection was given up/i.test(
    `${error.name} ${error.message}`,
  );
}

/** Whether the server has refused a change because it is a replica. */
export function isOfReplica(error: unknown): boolean {
  return error instanceof Error && /\bREADONLY\b/.test(error.message);
}

/** The error as it may be told: ioredis hangs the command with its arguments to it, be it the password or the session. */
function withoutArguments(error: unknown): { readonly cause: Error; readonly words: string } {
  const words = describeError(error).message.replace(COMMAND_ARGUMENTS, '');
  const cause = new Error(words);
  if (error instanceof Error) cause.name = error.name;
  const code = errnoOf(error);
  if (code !== undefined) Object.assign(cause, { code });
  return { cause, words };
}

function forGood(pattern: RegExp, advice: string): Remedy {
  return { pattern, advice, retryable: false };
}

function forNow(pattern: RegExp, advice: string): Remedy {
  return { pattern, advice, retryable: true };
}

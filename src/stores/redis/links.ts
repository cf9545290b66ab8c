import type { Redis } from 'ioredis';
import { type Clock, orAborted, resultWithin, withDeadline } from '../../clock.js';
import { TimeoutError } from '../../errors.js';
import { loadPeer } from '../load-peer.js';
import type { IoRedisClient, NodeRedisClient } from './clients.js';
import type { Argument, Link } from './connection.js';
import type { ServerSettings } from './options.js';

/** The deadline of a connection with its password and its database, less than that of any call, ms. */
const CONNECT_MS = 4_000;
/** How long the end of a connection is waited for, ms. */
const QUIT_MS = 2_000;
const KEEP_ALIVE_MS = 30_000;

/** node-redis 5 and newer turns bulk strings (`$` is 36) into buffers by this; version 4 by the other. */
const AS_BUFFERS = { typeMapping: { 36: Buffer }, returnBuffers: true };

const ignore = (): undefined => undefined;

/** Who waits for something of a client. */
interface Waiting {
  /** Commands under way. */
  readonly answer: Set<(error: Error) => void>;
  /** Commands that are sent when there is a connection again. */
  readonly ready: Set<() => void>;
}

/**
 * Who waits for the clients of the application. Each client is listened to once, whatever number of stores share
 * it: node ends a process for an `error` without a listener. When its connection breaks, the clients may forget commands,
 * or keep them until it is back, however long that takes; so they fail here.
 */
const WAITING = new WeakMap<object, Waiting>();

/** While ioredis has one of these, it puts a command into a queue without a bound, and never takes it back. */
const CONNECTING: ReadonlySet<unknown> = new Set(['connecting', 'connect', 'close', 'reconnecting']);

/** A client of the application, which the store never closes, and which connects again by itself. */
export function linkOf(client: IoRedisClient | NodeRedisClient): Link {
  const waiting = listenTo(client);
  return {
    send: (command, signal) =>
      new Promise((resolve, reject) => {
        const ending = new AbortController();
        const wasReady = isReady(client);
        const fail = (error: Error) => {
          reject(wasReady ? error : notConnected(error));
          ending.abort();
        };
        waiting.answer.add(fail);
        const both = signal === undefined ? ending.signal : AbortSignal.any([ending.signal, signal]);
        sendOver(client, waiting, command, both)
          .then(resolve, reject)
          .finally(() => waiting.answer.delete(fail));
      }),
    isUsable: () => true,
    end: async () => undefined,
    setBusy: ignore,
  };
}

/** node-redis takes a command back that it has not sent yet; ioredis would send it later, although nobody waits for it. */
async function sendOver(
  client: IoRedisClient | NodeRedisClient,
  { ready }: Waiting,
  command: readonly Argument[],
  signal: AbortSignal,
): Promise<unknown> {
  if (!('callBuffer' in client))
    return client.sendCommand([...command], { ...AS_BUFFERS, abortSignal: signal });
  const { status } = client as { readonly status?: unknown };
  if (CONNECTING.has(status)) {
    let goOn: () => void = ignore;
    const isConnected = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    ready.add(goOn);
    await orAborted(isConnected, signal).finally(() => ready.delete(goOn));
  }
  const [name = '', ...args] = command;
  return client.callBuffer(String(name), args);
}

/** Both clients tell it, each in its own way; what tells nothing is taken for ready. */
function isReady(client: object): boolean {
  const { status, isReady: ready } = client as { readonly status?: unknown; readonly isReady?: unknown };
  return (status ?? 'ready') === 'ready' && (ready ?? true) === true;
}

/** A command that waited for a connection in vain was not sent, so it is not worth a second try at once. */
function notConnected(cause: Error): Error {
  const error = new Error(`the client has no connection: ${cause.message}`);
  return Object.assign(error, { code: 'ENOTCONN' });
}

function listenTo(client: IoRedisClient | NodeRedisClient): Waiting {
  const known = WAITING.get(client);
  if (known !== undefined) return known;
  const waiting: Waiting = { answer: new Set(), ready: new Set() };
  WAITING.set(client, waiting);
  const failAll = (error: Error) => {
    for (const fail of waiting.answer) fail(error);
    waiting.answer.clear();
  };
  const isIoRedis = 'callBuffer' in client;
  client.on('error', isIoRedis ? ignore : failAll);
  if (!isIoRedis) return waiting;
  client.on('close', () => failAll(new Error('Connection is closed.')));
  client.on('ready', () => {
    for (const goOn of waiting.ready) goOn();
  });
  return waiting;
}

/**
 * A connection of the store's own, by ioredis. It never connects again by itself and keeps no queue: what was sent over a
 * connection that broke fails at once, and the next command makes a new one.
 *
 * The password and the database are sent here, because ioredis would only log a refusal and go on, in database 0.
 */
export async function openLink(settings: ServerSettings, clock: Clock): Promise<Link> {
  const ioredis = await loadPeer(
    'ioredis',
    'RedisStore',
    (name) =>
      import(/* webpackIgnore: true */ /* turbopackIgnore: true */ name) as Promise<typeof import('ioredis')>,
  );
  const { host, port, family, tls, username, password, db } = settings;
  const client = new ioredis.Redis({
    host,
    port,
    ...(family !== undefined && { family }),
    ...(tls !== undefined && { tls }),
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    disableClientInfo: true,
    protocol: 2, // its version 6 would send HELLO, before the password
    maxRetriesPerRequest: null,
    retryStrategy: () => null,
    connectTimeout: CONNECT_MS,
    keepAlive: KEEP_ALIVE_MS,
  });
  let fault: Error | undefined;
  client.on('error', (error) => {
    fault ??= error;
  });
  // ioredis says only that the connection is closed; why stands in the event before.
  const because = (error: unknown): never => {
    throw fault ?? error;
  };
  const send = ([name = '', ...args]: readonly Argument[]): Promise<unknown> =>
    client.callBuffer(String(name), args).catch(because);
  const connect = async () => {
    await client.connect().catch(because);
    if (password !== undefined) {
      const secret = typeof password === 'function' ? await password() : password;
      await send(['AUTH', ...(username === undefined ? [] : [username]), secret]);
    }
    if (db !== 0) await send(['SELECT', `${db}`]);
  };
  try {
    await withDeadline(clock, CONNECT_MS, 'connecting', connect());
  } catch (error) {
    drop(client);
    if (!(error instanceof TimeoutError)) throw error;
    const tip =
      tls === undefined ? '' : '; is there TLS at this port? rediss:// is with it, redis:// without';
    const silence = new Error(`the server did not answer within ${CONNECT_MS} ms${tip}`);
    throw Object.assign(silence, { name: 'TimeoutError' });
  }
  const setBusy = (isBusy: boolean) => {
    if (isBusy) client.stream?.ref?.();
    else client.stream?.unref?.();
  };
  setBusy(false);
  const end = async () => {
    if (client.status !== 'ready') return;
    await resultWithin(clock, QUIT_MS, client.quit().catch(ignore));
    drop(client);
  };
  let isLeft = false;
  return {
    send,
    setBusy,
    isUsable: () => client.status === 'ready' && fault === undefined && !isLeft,
    leave: () => {
      if (!isLeft) void end(); // after what is under way
      isLeft = true;
    },
    giveUp: () => {
      fault ??= new Error('the server has not answered, so the connection was given up');
      drop(client);
    },
    end,
  };
}

/** Ends a connection without a word from the other side, which may never come. */
function drop(client: Redis): void {
  const { stream } = client;
  client.disconnect();
  stream?.destroy();
}

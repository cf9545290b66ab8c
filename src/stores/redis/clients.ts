import type { Argument } from './connection.js';

/** What the store uses of a `Redis` of ioredis. */
export interface IoRedisClient {
  callBuffer(command: string, args: Argument[]): Promise<unknown>;
  on(event: 'error' | 'close' | 'ready', listener: (error: Error) => void): unknown;
}

/** What the store uses of a client of `createClient` of node-redis. */
export interface NodeRedisClient {
  sendCommand(args: Argument[], options?: object): Promise<unknown>;
  on(event: 'error' | 'close', listener: (error: Error) => void): unknown;
}

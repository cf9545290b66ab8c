import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { RedisStore } from '../../../src/stores/redis/index.js';

/** A client of ioredis, as far as the store uses it. */
class QueueingClient extends EventEmitter {
  status = 'reconnecting';
  /** What it was given, and would send whenever it is connected again. */
  readonly queue: string[] = [];

  async callBuffer(command: string): Promise<unknown> {
    this.queue.push(command);
    if (command === 'TIME') return [Buffer.from('1'), Buffer.from('0')];
    return [Buffer.from('none')];
  }

  becomeReady(): void {
    this.status = 'ready';
    this.emit('ready');
  }
}

describe('RedisStore over a client of ioredis that has no connection', () => {
  function setup() {
    const client = new QueueingClient();
    return { client, store: new RedisStore({ client }) };
  }

  it('puts nothing into its queue that nobody waits for any more', async () => {
    const { client, store } = setup();
    for (let call = 0; call < 5; call++) {
      const ending = new AbortController();
      const looking = store.head('shop/a', { signal: ending.signal });
      ending.abort(new Error('given up'));
      await expect(looking).rejects.toThrow('given up');
    }
    const looking = store.head('shop/b');
    setImmediate(() => client.emit('close'));
    await expect(looking).rejects.toMatchObject({
      code: 'STORE',
      retryable: true,
      cause: { code: 'ENOTCONN' },
    });
    client.becomeReady();
    await new Promise(setImmediate);
    expect(client.queue).toEqual([]);
  });

  it('sends what is still waited for when it is connected', async () => {
    const { client, store } = setup();
    const time = store.serverTime();
    await new Promise(setImmediate);
    expect(client.queue).toEqual([]);
    client.becomeReady();
    expect(await time).toBe(1000);
    expect(await store.head('shop/a')).toBeUndefined();
    expect(client.queue.filter((command) => command !== 'INFO')).toEqual(['TIME', 'EVALSHA']);
  });

  it('leaves it to a client that connects with its first command', async () => {
    const { client, store } = setup();
    client.status = 'wait';
    expect(await store.serverTime()).toBe(1000);
  });
});

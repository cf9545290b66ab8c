import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { PostgresStore } from '../../../src/stores/postgres/index.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';

/** A pool of an application, every statement of which fails with this SQLSTATE. */
function poolThatFailsWith(code: string) {
  const released: (boolean | undefined)[] = [];
  const client = Object.assign(new EventEmitter(), {
    query: async () => {
      throw Object.assign(new Error('refused'), { code });
    },
    release: (destroy?: boolean) => void released.push(destroy),
  });
  const pool = Object.assign(new EventEmitter(), { totalCount: 1, connect: async () => client });
  return { released, store: new PostgresStore({ pool }) };
}

describe('a connection of the pool', () => {
  it.each([
    ['25006', 'to a primary that has become a standby'],
    ['57P05', 'that the server ends because nothing was sent over it'],
    ['25P04', 'whose transaction took too long'],
  ])('is not used again after %s: %s', async (code) => {
    const { released, store } = poolThatFailsWith(code);
    await expect(store.delete('shop/a')).rejects.toMatchObject({ code: 'STORE', retryable: true });
    expect(released.every((isDestroyed) => isDestroyed === true)).toBe(true);
  });

  it.each(['42501', '57014', '53100'])(
    'is used again after an answer that says nothing of it: %s',
    async (code) => {
      const { released, store } = poolThatFailsWith(code);
      await expect(store.delete('shop/a')).rejects.toMatchObject({ code: 'STORE' });
      expect(released).toEqual([false]);
    },
  );

  it('is not kept for a sweep that the server never ends', async () => {
    const clock = new ManualClock();
    const released: (boolean | undefined)[] = [];
    const client = Object.assign(new EventEmitter(), {
      query: ({ text }: { text: string }) =>
        text.includes('sweep')
          ? new Promise<never>(() => undefined)
          : Promise.resolve({ rows: [{ version: '2', readable_from: '1' }] }),
      release: (destroy?: boolean) => void released.push(destroy),
    });
    const pool = Object.assign(new EventEmitter(), { totalCount: 1, connect: async () => client });
    const sweeping = new PostgresStore({ pool, clock }).sweepTemporaries();
    sweeping.catch(() => undefined);
    await clock.advance(60_000);
    expect(released).toEqual([false, true]);
    await expect(sweeping).rejects.toMatchObject({ code: 'STORE', cause: { code: 'TIMEOUT' } });
  });
});

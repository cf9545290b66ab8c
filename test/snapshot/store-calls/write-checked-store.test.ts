import { Readable } from 'node:stream';
import { memfs } from 'memfs';
import { describe, expect, it } from 'vitest';
import { LeaseLostError } from '../../../src/errors.js';
import type { FileSystem } from '../../../src/file-system.js';
import { checkWrites, WriteCheckedStore } from '../../../src/snapshot/store-calls/write-checked-store.js';
import { FileSystemStore } from '../../../src/stores/file-system-store.js';
import type { SessionStore } from '../../../src/stores/session-store.js';
import { MemoryStore } from '../../../src/testing/memory-store.js';

/** A store with one object, and the right to write, which can be lost. */
async function guarded(store: SessionStore) {
  const right = { isLost: false };
  const assertMayWrite = () => {
    if (right.isLost) throw new LeaseLostError('lost');
  };
  const guard = new WriteCheckedStore(store, assertMayWrite);
  await guard.put('shop/kept', Buffer.from('kept'));
  return { guard, right };
}

const overDisk = () => {
  const fs = memfs({ '/in/file': 'put' }).fs as unknown as FileSystem;
  return guarded(new FileSystemStore('/store', { fs }));
};

describe('a store that checks every write', () => {
  it('writes while it may', async () => {
    const { guard } = await overDisk();
    await guard.putFile?.('shop/file', '/in/file');
    expect(await guard.delete('shop/kept')).toBe(true);
    expect(await guard.head('shop/file')).toMatchObject({ size: 3 });
    expect(await guard.sweepTemporaries?.()).toEqual({ count: 0, bytes: 0 });
  });

  it.each<readonly [string, (guard: WriteCheckedStore) => Promise<unknown> | undefined]>([
    ['puts', (guard) => guard.put('shop/new', Buffer.from('new'))],
    ['puts a stream', (guard) => guard.put('shop/new', Readable.from([Buffer.from('new')]))],
    ['puts a file', (guard) => guard.putFile?.('shop/new', '/in/file')],
    ['deletes', (guard) => guard.delete('shop/kept')],
    ['deletes many', (guard) => guard.deleteMany?.(['shop/kept'])],
    ['sweeps', (guard) => guard.sweepTemporaries?.()],
  ])('neither %s nor changes anything once it may not', async (_, write) => {
    const { guard, right } = await overDisk();
    right.isLost = true;
    await expect(write(guard)).rejects.toThrow(LeaseLostError);
    const keys: string[] = [];
    for await (const { key } of guard.list('shop/')) keys.push(key);
    expect(keys).toEqual(['shop/kept']);
  });

  it('writes nothing for a call that was given up, also where it may', async () => {
    const { guard } = await overDisk();
    const signal = AbortSignal.abort(new Error('stopping'));
    await expect(guard.put('shop/new', Buffer.from('new'), { signal })).rejects.toThrow('stopping');
    await expect(guard.delete('shop/kept', { signal })).rejects.toThrow('stopping');
    await expect(guard.deleteMany?.(['shop/kept'], { signal })).rejects.toThrow('stopping');
    expect(await guard.head('shop/kept')).toBeDefined();
  });

  it('reads all the same', async () => {
    const { guard, right } = await overDisk();
    right.isLost = true;
    expect(await guard.head('shop/kept')).toMatchObject({ size: 4 });
    const stored = await guard.get('shop/kept');
    expect(await stored?.body.toArray()).toEqual([Buffer.from('kept')]);
    expect(guard.localPath?.('shop/kept')).toBe('/store/shop/kept');
  });

  it('is named as it is told to, else as the store is', () => {
    const store = new MemoryStore({ name: 'near' });
    const mayWrite = () => undefined;
    expect(checkWrites(store, {})).toBe(store);
    expect(checkWrites(store, { storeName: 'near' })).toBe(store);
    expect(checkWrites(store, { storeName: 'near-2' }).name).toBe('near-2');
    expect(checkWrites(store, { assertMayWrite: mayWrite }).name).toBe('near');
  });

  it('offers what the store offers, and nothing else', async () => {
    const { guard } = await guarded(new MemoryStore({ name: 'mine', maxObjectBytes: 5 }));
    expect(guard.name).toBe('mine');
    expect(guard.capabilities).toMatchObject({ maxObjectBytes: 5 });
    expect([guard.putFile, guard.localPath, guard.sweepTemporaries]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

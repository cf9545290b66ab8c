import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { SnapshotCorruptError } from '../../src/errors.js';
import { FileSystemStore } from '../../src/stores/file-system-store.js';
import { MemoryStore } from '../../src/testing/index.js';
import { memoryFileSystem } from './fixtures/temporary-root.js';

describe('the body of a put', () => {
  it('may be a stream of text', async () => {
    const store = new MemoryStore();
    const body = Readable.from(['é', 'a'], { encoding: 'utf8' });
    expect((await store.put('a', body, { size: 3 })).size).toBe(3);
  });

  it('may not be a stream of objects', async () => {
    await expect(new MemoryStore().put('a', Readable.from([{ a: 1 }]))).rejects.toMatchObject({
      code: 'STORE',
      retryable: false,
      message: expect.stringContaining('objects'),
    });
  });

  it('keeps the errors of this library as they are', async () => {
    const error = new SnapshotCorruptError('a byte is not what it was');
    async function* checked() {
      yield Buffer.from('a');
      throw error;
    }
    await expect(new MemoryStore().put('a', Readable.from(checked()))).rejects.toBe(error);
  });

  it('is never the cause of an uncaught error, even when it fails before it is read', async () => {
    const body = new Readable({ read: () => undefined });
    const putting = new FileSystemStore('/rack', { fs: memoryFileSystem().fs }).put('a', body);
    const cause = new Error('before anybody reads');
    body.destroy(cause);
    await expect(putting).rejects.toMatchObject({ code: 'STORE', cause });
  });

  it('is ended when the put is refused', async () => {
    const body = new Readable({ read: () => undefined });
    await expect(new MemoryStore().put('../refused', body)).rejects.toMatchObject({ code: 'STORE' });
    expect(body.destroyed).toBe(true);
  });

  it('rejects with an error of the library where the reason of the signal is none', async () => {
    const signal = AbortSignal.abort('because');
    await expect(new MemoryStore().put('a', Buffer.from('a'), { signal })).rejects.toMatchObject({
      code: 'CLOSED',
    });
  });
});

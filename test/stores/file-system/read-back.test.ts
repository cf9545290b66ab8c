import type { FileHandle } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../../src/file-system.js';
import { FileSystemStore } from '../../../src/stores/file-system-store.js';
import {
  assertBytes,
  bytesAt,
  bytesOf,
  digestOf,
  streamOf,
} from '../../../src/testing/conformance/harness.js';
import { failingFileSystem } from '../../../src/testing/index.js';
import { memoryFileSystem } from '../fixtures/temporary-root.js';

const BYTES = bytesOf(600_000);

type Open = FileSystem['promises']['open'];

/** The file system with other handles for open files. */
function withHandles(fs: FileSystem, alter: (handle: FileHandle) => Partial<FileHandle>): FileSystem {
  const open = async (...given: Parameters<Open>) => {
    const handle = await fs.promises.open(...given);
    return Object.assign(handle, alter(handle));
  };
  const get = (target: object, name: string) => (name === 'open' ? open : Reflect.get(target, name));
  return { ...fs, promises: new Proxy(fs.promises, { get }) } as FileSystem;
}

/** A disk that changes one byte of whatever is written to it, and says nothing. */
function lyingDisk() {
  const { fs: disk, paths } = memoryFileSystem();
  const fs = withHandles(disk, (handle) => {
    const honest = handle.write.bind(handle) as (bytes: Buffer, ...rest: number[]) => Promise<unknown>;
    const write = (bytes: Buffer, ...rest: number[]) => {
      const other = Buffer.from(bytes);
      if (other.length > 1000) other[500] = (other[500] ?? 0) ^ 1;
      return honest(other, ...rest);
    };
    return { write: write as FileHandle['write'] };
  });
  return { fs, paths };
}

describe('a put with a digest', () => {
  it.each([
    ['a buffer', () => BYTES],
    ['a stream', () => streamOf(BYTES)],
  ])('of %s finds out a disk that keeps other bytes, and leaves nothing', async (_, body) => {
    const { fs, paths } = lyingDisk();
    const store = new FileSystemStore('/rack', { fs });
    const old = await store.put('shop/old', bytesOf(5));
    const putting = store.put('shop/table', body(), { digest: digestOf(BYTES) });
    await expect(putting).rejects.toMatchObject({ code: 'STORE', retryable: true });
    expect(await store.head('shop/old')).toEqual(old);
    expect(paths()).toEqual(['/rack/shop/old']);
    // Without one nobody looks, and the answer does not say otherwise.
    expect(await store.put('shop/table', body())).not.toHaveProperty('verifiedBy');
  });

  it('reads the copy of a file back, not the file', async () => {
    const { fs } = memoryFileSystem();
    await fs.promises.writeFile('/source', BYTES);
    const store = new FileSystemStore('/rack', { fs });
    const answer = await store.putFile('shop/table', '/source', { digest: digestOf(BYTES) });
    expect(answer.verifiedBy).toBe('readback');
    await fs.promises.writeFile('/source', bytesOf(600_000, 1));
    const putting = store.putFile('shop/table', '/source', { digest: digestOf(BYTES) });
    await expect(putting).rejects.toMatchObject({ code: 'STORE', retryable: true });
    assertBytes(await bytesAt(store, 'shop/table'), BYTES);
  });

  it('fails where it can not be read back, and leaves the old value', async () => {
    const { fs: disk, paths } = memoryFileSystem();
    const fs = failingFileSystem(disk, { operation: 'handle.read', failOn: 2 });
    const store = new FileSystemStore('/rack', { fs });
    const putting = store.put('shop/table', BYTES, { digest: digestOf(BYTES) });
    await expect(putting).rejects.toMatchObject({ code: 'STORE', cause: { code: 'EIO' } });
    expect(paths()).toEqual(['/rack']);
  });

  it('ends with its signal while it reads back', async () => {
    const { fs: disk, paths } = memoryFileSystem();
    const abort = new AbortController();
    const reason = new Error('stopping');
    const fs = withHandles(disk, (handle) => {
      const honest = handle.read.bind(handle) as (...given: unknown[]) => Promise<unknown>;
      const read = (...given: unknown[]) => {
        abort.abort(reason);
        return honest(...given);
      };
      return { read: read as FileHandle['read'] };
    });
    const store = new FileSystemStore('/rack', { fs });
    const options = { digest: digestOf(BYTES), signal: abort.signal };
    await expect(store.put('shop/table', BYTES, options)).rejects.toBe(reason);
    expect(paths()).toEqual(['/rack']);
  });
});

describe('what a file system can not keep', () => {
  it('is refused: no rename holds only while nobody has followed', async () => {
    const { fs, paths } = memoryFileSystem();
    const store = new FileSystemStore('/rack', { fs });
    const putting = store.put('shop/table', BYTES, { fence: { name: 'shop', generation: 1 } });
    await expect(putting).rejects.toMatchObject({ code: 'STORE', retryable: false });
    expect(paths()).toEqual([]);
  });
});

import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { LeaseLostError, StoreError } from '../../../src/errors.js';
import { putZip } from '../../../src/snapshot/zip/put-zip.js';
import { readManifestAtHead } from '../../../src/snapshot/zip/zip-head.js';
import { extractZipTask } from '../../../src/snapshot/zip/zip-reader.js';
import type { PutOptions } from '../../../src/stores/session-store.js';
import type { TaskRunner } from '../../../src/task.js';
import { TinyStore } from '../support/memory-store.js';
import { asText, type Files, LEVELDB, World } from '../support/world.js';
import { contentOf } from './write-zip.js';

const FILES: Files = {
  [`${LEVELDB}/CURRENT`]: 'MANIFEST-000001\n',
  ...Object.fromEntries(
    Array.from({ length: 6 }, (_, n) => [`${LEVELDB}/00000${n}.ldb`, Buffer.alloc(400_000, `${n}`)]),
  ),
};

/** A store that looks at the stream itself. */
class StreamStore extends TinyStore {
  take: (body: Readable) => Promise<void> = async () => undefined;

  override async put(key: string, body: Uint8Array | Readable, options?: PutOptions) {
    if (body instanceof Uint8Array) throw new Error('expected a stream');
    await this.take(body);
    return super.put(key, body, options);
  }
}

async function prepare(store: TinyStore = new StreamStore()) {
  const world = new World();
  const content = await contentOf(world, FILES);
  const put = (options: PutOptions = {}, given: { assertMayWrite?: () => void; runner?: TaskRunner } = {}) =>
    putZip({ store, runner: world.runner, clock: world.clock, ...given }, 'shop/a.zip', content, options);
  return { world, content, put, store: store as StreamStore };
}

describe('a zip on its way into a store', () => {
  it('is whole when it is there, and its size is told', async () => {
    const { world, put, store, content } = await prepare();
    const { info, size } = await put();
    expect(info.size).toBe(size);
    const { bytes } = store.objects.get('shop/a.zip') ?? { bytes: Buffer.alloc(0) };
    expect(await readManifestAtHead(async (count) => bytes.subarray(0, count))).toEqual(content.manifest);
    await world.fs.promises.writeFile('/a.zip', bytes);
    await world.runner.run(extractZipTask, { path: '/a.zip', directory: '/out' });
    expect(await world.read('/out')).toEqual(asText(FILES));
  });

  it('waits for a slow store', async () => {
    const { put, store } = await prepare();
    let most = 0;
    store.take = async (body) => {
      for (let turn = 0; turn < 30; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, body.readableLength);
    };
    const { info, size } = await put();
    expect(info.size).toBe(size);
    expect(most).toBeLessThanOrEqual(512 * 1024);
  });

  it('fails with the reason of a store that fails before, amidst or after it, and is not there', async () => {
    const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    for (const fail of [
      async () => Promise.reject(full),
      async (body: Readable) => {
        for await (const _chunk of body) break;
        throw full;
      },
      async (body: Readable) => {
        for await (const _chunk of body);
        throw full;
      },
      async (body: Readable) => {
        body.destroy(new Error('aborted by the transport'));
        throw full;
      },
    ]) {
      const { put, store } = await prepare();
      store.take = fail;
      const error: unknown = await put().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(StoreError);
      expect(error).toMatchObject({ cause: full });
      expect(store.keys()).toEqual([]);
    }
  });

  it('fails with the fault of a file, whatever the store makes of a stream that breaks', async () => {
    for (const take of [
      async () => undefined,
      async (body: Readable) => {
        await once(body, 'close').catch(() => undefined);
        throw new Error('the upload broke');
      },
    ]) {
      const { world, content, put, store } = await prepare();
      await world.fs.promises.writeFile(`${content.directory}/${LEVELDB}/000003.ldb`, 'other');
      store.take = (body) => {
        if (take.length > 0) body.resume();
        return take(body);
      };
      await expect(put()).rejects.toMatchObject({
        code: 'SNAPSHOT_CORRUPT',
        message: expect.stringContaining('000003.ldb') as string,
      });
      expect(store.keys()).toEqual([]);
    }
  });

  it('is not put when the session is lost on the way, even at the last byte', async () => {
    for (const allowed of [0, 1, 4]) {
      const { put, store } = await prepare();
      let calls = 0;
      const assertMayWrite = () => {
        calls += 1;
        if (calls > allowed) throw new LeaseLostError('another process has it');
      };
      await expect(put({}, { assertMayWrite })).rejects.toMatchObject({ code: 'LEASE_LOST' });
      expect(store.keys()).toEqual([]);
    }
  });

  it('ends with the reason of an abort, before it or amidst', async () => {
    const { put, store } = await prepare();
    await expect(put({ signal: AbortSignal.abort(new Error('stopping')) })).rejects.toThrow('stopping');
    const abort = new AbortController();
    store.take = async (body) => {
      for await (const _chunk of body) abort.abort(new Error('stopping now'));
    };
    await expect(put({ signal: abort.signal })).rejects.toThrow('stopping now');
    expect(store.keys()).toEqual([]);
  });

  it('is refused where it is larger than the store takes', async () => {
    const store = new StreamStore();
    Object.assign(store.capabilities, { maxObjectBytes: 1_000_000 });
    const { put } = await prepare(store);
    await expect(put()).rejects.toMatchObject({
      code: 'STORE',
      retryable: false,
      message: expect.stringContaining('1000000 bytes') as string,
    });
    expect(store.keys()).toEqual([]);
  });

  it('is known not to be whole where a store takes only a part and says that it is there', async () => {
    const { put, store } = await prepare();
    store.put = async (key, body) => {
      if (body instanceof Uint8Array) throw new Error('expected a stream');
      const taking = body[Symbol.asyncIterator]();
      const { value } = (await taking.next()) as { value: Uint8Array };
      store.set(key, value);
      return { key, size: value.length, version: '1', modifiedAt: new Date(0) };
    };
    expect((await put()).size).toBeUndefined();
  });
});

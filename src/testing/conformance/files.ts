import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FileSystem, systemFileSystem } from '../../file-system.js';
import type { SessionStore } from '../../stores/session-store.js';
import {
  assertBytes,
  bytesAt,
  bytesOf,
  type Chapter,
  digestOf,
  keysOf,
  rejectsWith,
  type StoreFixture,
} from './harness.js';

/** `putFile` and `localPath`, where the store has them. */
export const files: Chapter = (test, expects) => {
  if (expects.putFile) {
    const withFile = async (store: SessionStore, fixture: StoreFixture, use: Use) => {
      const fs = fixture.fs ?? systemFileSystem;
      const folder = join(
        tmpdir(),
        `store-conformance-${process.pid}-${Math.random().toString(36).slice(2)}`,
      );
      await fs.promises.mkdir(folder, { recursive: true });
      try {
        const path = join(folder, 'source');
        await fs.promises.writeFile(path, bytesOf(5000));
        await use({ fs, path, putFile: (key, from, options) => putFileOf(store)(key, from, options) });
      } finally {
        await fs.promises.rm(folder, { recursive: true, force: true });
      }
    };

    test('putFile takes a copy: the file stays, and may be written to', async (store, fixture) => {
      await withFile(store, fixture, async ({ fs, path, putFile }) => {
        const info = await putFile('shop/table', path);
        assert.equal(info.size, 5000);
        assert.equal((await store.head('shop/table'))?.version, info.version);
        const handle = await fs.promises.open(path, 'r+');
        await handle.write(Buffer.from('scribble'), 0, 8, 0);
        await handle.close();
        assertBytes(await bytesAt(store, 'shop/table'), bytesOf(5000));
      });
    });

    test('putFile refuses another size and a missing file, and keeps the old value', async (store, fixture) => {
      await withFile(store, fixture, async ({ path, putFile }) => {
        await store.put('shop/table', bytesOf(5));
        await rejectsWith('STORE', putFile('shop/table', path, { size: 4999 }));
        await rejectsWith('STORE', putFile('shop/table', `${path}-none`));
        await rejectsWith('STORE', putFile('shop/none', `${path}-none`));
        await rejectsWith('STORE', putFile('../table', path));
        await assert.rejects(putFile('shop/table', path, { signal: AbortSignal.abort() }));
        assertBytes(await bytesAt(store, 'shop/table'), bytesOf(5));
        assert.deepEqual(await keysOf(store), ['shop/table']);
        await putFile('shop/table', path, { size: 5000 });
        assertBytes(await bytesAt(store, 'shop/table'), bytesOf(5000));
      });
    });

    if (expects.verifiedBy !== undefined) {
      test('putFile compares the digest', async (store, fixture) => {
        await withFile(store, fixture, async ({ path, putFile }) => {
          const right = await putFile('shop/table', path, { size: 5000, digest: digestOf(bytesOf(5000)) });
          assert.equal(right.verifiedBy, expects.verifiedBy);
          const wrong = { digest: digestOf(bytesOf(5000, 1)) };
          const { retryable } = await rejectsWith('STORE', putFile('shop/table', path, wrong));
          assert.equal(retryable, true);
          await rejectsWith('STORE', putFile('shop/none', path, wrong));
          assertBytes(await bytesAt(store, 'shop/table'), bytesOf(5000));
          assert.deepEqual(await keysOf(store), ['shop/table']);
        });
      });
    }

    if (expects.conditionalPut !== false) {
      test('putFile keeps conditions', async (store, fixture) => {
        await withFile(store, fixture, async ({ path, putFile }) => {
          const { version } = await putFile('shop/table', path, { ifAbsent: true });
          await rejectsWith('STORE_CONFLICT', putFile('shop/table', path, { ifAbsent: true }));
          await putFile('shop/table', path, { ifVersion: version });
          await rejectsWith('STORE_CONFLICT', putFile('shop/table', path, { ifVersion: version }));
        });
      });
    }
  }

  if (expects.localPath) {
    test('localPath names a plain file with the bytes, and refuses dangerous keys', async (store, fixture) => {
      await store.put('shop/note', bytesOf(50));
      const path = store.localPath?.('shop/note') ?? '';
      assertBytes(await (fixture.fs ?? systemFileSystem).promises.readFile(path), bytesOf(50));
      assert.throws(() => store.localPath?.('../note'), { code: 'STORE' });
    });
  }
};

type PutFile = NonNullable<SessionStore['putFile']>;
type Use = (given: { fs: FileSystem; path: string; putFile: PutFile }) => Promise<void>;

function putFileOf(store: SessionStore): PutFile {
  assert.ok(store.putFile !== undefined, 'the store has no putFile');
  return store.putFile.bind(store);
}

import { memfs } from 'memfs';
import { describe, expect, it } from 'vitest';
import { StoreError } from '../../src/errors.js';
import type { FileSystem } from '../../src/file-system.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { useFakeStage } from '../support/fake-stage.js';

const QUIET = { backupIntervalMs: 0, healthCheckIntervalMs: 0, sessionValidationIntervalMs: 0 };
const BETWEEN_SAVES_MS = 200_000;

async function keysIn(store: MemoryStore): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list('shop/')) keys.push(key);
  return keys;
}

describe('the newest login in a remote store, on a machine with an empty disk', () => {
  const stage = useFakeStage();

  it.each(['snapshots', 'objects'])('comes back although its %s fail for some seconds', async (folder) => {
    const store = new MemoryStore({ clock: stage().clock });
    const machine = () => {
      const fs = memfs().fs as unknown as FileSystem;
      return stage().bot({ client: { fs }, session: { ...QUIET, store, fs } });
    };
    const old = machine();
    await old.logIn();
    await stage().clock.advance(BETWEEN_SAVES_MS);
    await old.save('older');
    await stage().clock.advance(BETWEEN_SAVES_MS);
    const before = await keysIn(store);
    await old.save('newest');
    await old.stop();
    const isOfNewest = (key: string) => !before.includes(key) && key.startsWith(`shop/${folder}/`);

    const { get } = store;
    let backAt: number | undefined;
    let failures = 0;
    store.get = async (key, options) => {
      const now = stage().clock.monotonic();
      if (isOfNewest(key)) backAt ??= now + 3000;
      if (!isOfNewest(key) || now >= (backAt ?? 0)) return get.call(store, key, options);
      failures++;
      throw new StoreError(`could not read ${key}: ECONNRESET`);
    };
    const next = machine();
    await next.start();
    expect(failures).toBeGreaterThan(1);
    expect((await next.client.readLogin())?.note).toBe('newest');
    expect(next.payloads('restore:completed')).toHaveLength(1);
  });
});

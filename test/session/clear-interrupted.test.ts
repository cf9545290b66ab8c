import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import type { FileSystem } from '../../src/file-system.js';
import { listClients } from '../../src/index.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const PATIENCE = { timeout: 120_000 };
const BY_HAND = { forceSaveIntervalMs: 0, backupIntervalMs: 0 };

async function idsIn(options: Parameters<typeof listClients>[0]): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const { clientId } of listClients(options)) ids.push(clientId);
  return ids;
}

describe('a put that the server finishes after clear()', PATIENCE, () => {
  const stage = useFakeStage();

  it.each(['with sessionPath', 'with nothing else left'])('brings nothing back (%s)', async (what) => {
    const store = new MemoryStore({ name: 'saves' });
    const backupStore = new MemoryStore({ name: 'backups' });
    const session = { ...BY_HAND, store, backupStore };
    const bot = stage().bot({ session });
    await bot.logIn();
    await bot.save('one');
    await bot.note('two');
    const { finish, putAll } = slowly(backupStore);
    const backup = bot.session.backup().catch(() => undefined);
    await bot.until('the put', () => putAll.length > 0);
    await bot.finish(bot.session.clear());
    await bot.finish(backup);
    await finish();
    await bot.stop();
    if (what !== 'with sessionPath') await stage().remove('/bot');
    assert.deepEqual(await idsIn({ store, backupStore, clock: stage().clock, fs: stage().fs }), []);
    const next = stage().bot({ session });
    assert.deepEqual(await next.session.listSnapshots(), []);
    await assert.rejects(next.finish(next.session.restore()), { code: 'SNAPSHOT_NOT_FOUND' });
    await next.start();
    assert.equal(next.state, 'awaiting_qr');
    await next.client.scan();
    await next.untilState('ready');
    await next.backUp('three');
    assert.deepEqual(await idsIn({ store, backupStore, clock: stage().clock, fs: stage().fs }), ['shop']);
    await next.finish(next.session.prune());
    const zips: string[] = [];
    for await (const { key } of backupStore.list('')) if (key.endsWith('.zip')) zips.push(key);
    assert.equal(zips.length, 1, 'the late zip is deleted by the next sweep');
  });
});

/** The call ends with the signal, as that of `fetch()` does, and the server finishes the put later. */
function slowly(store: MemoryStore) {
  const put = store.put.bind(store);
  const putAll: (() => Promise<unknown>)[] = [];
  let isSlow = true;
  store.put = async (key, body, { signal, ...rest } = {}) => {
    if (!isSlow || !key.endsWith('.zip')) return put(key, body, { ...rest, ...(signal && { signal }) });
    const chunks: Uint8Array[] = [];
    if (body instanceof Uint8Array) chunks.push(body);
    else for await (const chunk of body) chunks.push(chunk);
    putAll.push(() => put(key, Buffer.concat(chunks), rest));
    return new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
    });
  };
  const finish = async () => {
    isSlow = false;
    for (const land of putAll) await land();
  };
  return { finish, putAll };
}

describe('clear() whose process ends in the middle', PATIENCE, () => {
  const stage = useFakeStage();

  /** The disk as one process sees it: from the given deletion on, nothing of it reaches the disk any more. */
  function endingAt(limit: number) {
    const { promises, ...rest } = stage().fs;
    let deletions = 0;
    let isDead = false;
    let isArmed = false;
    const deleting = new Set(['rm', 'unlink', 'rename', 'rmdir']);
    const fs = {
      ...rest,
      promises: new Proxy(promises, {
        get(target, name) {
          const method: unknown = Reflect.get(target, name);
          if (typeof method !== 'function') return method;
          return (...given: unknown[]) => {
            if (isArmed && deleting.has(String(name)) && ++deletions >= limit) isDead = true;
            if (isDead)
              return Promise.reject(Object.assign(new Error('the process has ended'), { code: 'EIO' }));
            return method.apply(target, given) as unknown;
          };
        },
      }),
    } as FileSystem;
    const arm = () => {
      isArmed = true;
    };
    return { fs, arm, isDead: () => isDead };
  }

  async function interrupted(limit: number): Promise<boolean> {
    const process = endingAt(limit);
    const bot = stage().bot({ session: { ...BY_HAND, fs: process.fs } });
    await bot.logIn();
    await bot.save('one');
    await bot.backUp('two');
    process.arm();
    await bot.finish(bot.session.clear().catch(() => undefined));
    await bot.finish(bot.session.destroy().catch(() => undefined));
    // Its leases and locks are those of a dead process, which the next one of this test is not.
    const isOfProcess = (path: string) => path.includes('/lease/') || path.includes('/.lock-');
    for (const path of (await stage().filesBelow('/bot')).filter(isOfProcess)) await stage().remove(path);
    return process.isDead();
  }

  async function next(): Promise<FakeBot> {
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    return bot;
  }

  it.each([1, 2, 3, 4, 6, 8, 10, 14, 18, 22, 26, 30, 34])(
    'is finished by the next start, or has done nothing (deletion %i)',
    async (limit) => {
      const wasCut = await interrupted(limit);
      const bot = await next();
      const left = await bot.session.listSnapshots();
      if (bot.state === 'ready') assert.equal(left.length, 2, 'the login is whole, with its copies');
      else assert.deepEqual([bot.state, left], ['awaiting_qr', []]);
      if (!wasCut) assert.equal(bot.state, 'awaiting_qr');
      if (bot.state !== 'awaiting_qr') return;
      await bot.client.scan();
      await bot.untilState('ready');
      await bot.save('three');
      await bot.stop();
      const again = await next();
      assert.equal(again.state, 'ready', 'only the login before the clear() has ended');
    },
  );
});

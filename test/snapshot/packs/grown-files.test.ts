import { describe, expect, it } from 'vitest';
import { CountingStore } from '../../support/counting-store.js';
import { holderOf } from '../support/holder-of.js';
import { asText, LEVELDB } from '../support/world.js';
import { bytesOf, Packed, profileOf, RemoteSaves } from './pack-world.js';

const KiB = 1024;
const MiB = 1024 * KiB;
const LOG = `${LEVELDB}/000900.log`;
const START = bytesOf(201, 300 * KiB);
const MORE = bytesOf(202, 30 * KiB);
const EVEN_MORE = bytesOf(203, 40 * KiB);

const withLog = (...parts: Uint8Array[]) => ({ ...profileOf(2), [LOG]: Buffer.concat(parts) });

describe('a file that has grown since the last save', () => {
  it('is put from its old end on, and comes back as a whole', async () => {
    const saves = new Packed();
    const first = await saves.save(withLog(START));
    const second = await saves.save(withLog(START, MORE));
    const third = await saves.save(withLog(START, MORE, EVEN_MORE));
    const { at } = holderOf(saves.store, START);
    expect(at).toBeGreaterThan(0);
    expect(holderOf(saves.store, MORE).bytes).toBe(MORE.length);
    expect(holderOf(saves.store, EVEN_MORE).bytes).toBe(EVEN_MORE.length);
    expect(() => holderOf(saves.store, Buffer.concat([START, MORE]))).toThrow();
    expect(await saves.failing()).toEqual([]);
    expect(await saves.restored(first.id)).toEqual(asText(withLog(START)));
    expect(await saves.restored(second.id)).toEqual(asText(withLog(START, MORE)));
    expect(await saves.restored(third.id)).toEqual(asText(withLog(START, MORE, EVEN_MORE)));
    const { packs = [] } = await saves.repository.manifest(third.id);
    expect(packs).toHaveLength(3);
  });

  it('and is proven since the time at which the oldest part of it was', async () => {
    const saves = new Packed();
    const { verifiedAt } = await saves.save(withLog(START));
    expect(verifiedAt).toBeDefined();
    expect((await saves.save(withLog(START, MORE))).verifiedAt).toBe(verifiedAt);
    await saves.save({ [LOG]: START });
    saves.reopen();
    expect((await saves.save({ [LOG]: Buffer.concat([START, EVEN_MORE]) })).verifiedAt).toBeUndefined();
    expect((await saves.save({ [LOG]: MORE })).verifiedAt).toBeDefined();
  });

  it('is put whole where it does not begin as it was, or is no longer than it was', async () => {
    const saves = new Packed();
    await saves.save(withLog(START));
    const changed = Buffer.from(START);
    changed[7] = (changed[7] ?? 0) ^ 1;
    for (const other of [withLog(changed, MORE), withLog(changed.subarray(0, 200 * KiB)), withLog(MORE)]) {
      const { id } = await saves.save(other);
      expect(holderOf(saves.store, other[LOG]).bytes).toBeGreaterThanOrEqual(other[LOG].length);
      expect(await saves.restored(id)).toEqual(asText(other));
    }
  });

  it('is not built upon a pack that was found damaged', async () => {
    const saves = new Packed();
    const first = await saves.save(withLog(START));
    const { key, at } = holderOf(saves.store, START);
    saves.store.rot(key, at + 5);
    expect(await saves.failing()).toEqual([first.id]);
    const { id } = await saves.save(withLog(START, MORE));
    expect(await saves.restored(id)).toEqual(asText(withLog(START, MORE)));
  });

  it('whose part is damaged is put as a whole, as an object of its own', async () => {
    const saves = new Packed();
    const first = await saves.save(withLog(START));
    const second = await saves.save(withLog(START, MORE));
    const { key, at } = holderOf(saves.store, MORE);
    saves.store.rot(key, at + 5);
    expect(await saves.failing()).toEqual([second.id]);
    expect(await saves.restored(first.id)).toEqual(asText(withLog(START)));
    await saves.save(withLog(START, MORE));
    expect(await saves.failing()).toEqual([]);
    expect(holderOf(saves.store, Buffer.concat([START, MORE])).at).toBe(0);
  });

  it.each(['gone', 'cut off'])('whose part is %s is missed, and named', async (how) => {
    const saves = new Packed();
    await saves.save(withLog(START));
    const second = await saves.save(withLog(START, MORE));
    const { key } = holderOf(saves.store, MORE);
    if (how === 'gone') saves.store.objects.delete(key);
    else saves.store.set(key, MORE.subarray(0, 100));
    const named = { code: 'SNAPSHOT_CORRUPT', file: LOG };
    await expect(saves.restored(second.id)).rejects.toMatchObject(named);
    await expect(saves.repository.verify(second.id)).rejects.toMatchObject(named);
    expect(await saves.world.read('/out')).toBeUndefined();
  });

  it('costs three calls and little more than what was written, and never crumbles', async () => {
    const saves = new RemoteSaves(new CountingStore());
    let log = bytesOf(300, 2 * MiB);
    await saves.save(withLog(log));
    let up = 0;
    for (let time = 0; time < 100; time++) {
      log = Buffer.concat([log, bytesOf(400 + time, 2 * KiB)]);
      saves.store.reset();
      const { id } = await saves.save(withLog(log));
      up += saves.store.bytesUp;
      expect(saves.store.calls.map(({ method }) => method)).toEqual(['put', 'put', 'head']);
      expect(saves.store.bytesUp).toBeLessThanOrEqual(2 * KiB * 1.3 + 64 * KiB);
      const { packs = [] } = await saves.repository.manifest(id);
      expect(packs.length).toBeLessThanOrEqual(4 + (time * 2) / 16);
      const old = (await saves.repository.list()).slice(10).map((snapshot) => snapshot.id);
      await saves.repository.remove(old);
      await saves.repository.sweep({ atOnce: true });
      if (time % 33 === 0) expect(await saves.restored(id)).toEqual(asText(withLog(log)));
    }
    expect(up).toBeLessThan(100 * 20 * KiB);
    const [newest] = await saves.repository.list();
    expect(await saves.restored(newest?.id ?? '')).toEqual(asText(withLog(log)));
    await saves.repository.verify(newest?.id ?? '');
  });
});

describe('many logs that have grown while they were written', () => {
  it('are saved and come back, also when they are more than is put together in memory at once', async () => {
    const saves = new RemoteSaves(new CountingStore());
    const files: Record<string, Uint8Array> = profileOf(1);
    let last = '';
    for (let log = 0; log < 11; log++) {
      const path = `${LEVELDB}/00${1000 + log}.log`;
      const whole = bytesOf(500 + log, 4 * MiB);
      files[path] = whole.subarray(0, 2 * MiB);
      await saves.save(files);
      files[path] = whole;
      last = (await saves.save(files)).id;
    }
    expect(await saves.restored(last)).toEqual(asText(files));
    saves.reopen();
    await saves.repository.verify(last);
  });
});

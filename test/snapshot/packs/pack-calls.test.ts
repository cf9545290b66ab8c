import { describe, expect, it } from 'vitest';
import { CountingStore } from '../../support/counting-store.js';
import { asText, type Files, LEVELDB } from '../support/world.js';
import { bytesOf, profileOf, RemoteSaves, table } from './pack-world.js';

const MiB = 1024 * 1024;
const KiB = 1024;
const LOG = `${LEVELDB}/000900.log`;

/** The calls and bytes that docs/stores.md tells, measured without the session around the repository. */
describe('the calls of saves in a remote store', () => {
  const saves = () => new RemoteSaves(new CountingStore());
  const sizeOf = (files: Files) => Object.values(files).reduce((sum, { length }) => sum + length, 0);

  it.each([
    ['small tables', 300, 100 * KiB],
    ['tables of LevelDB', 20, 2 * MiB - 1],
    ['a few large ones', 3, 9 * MiB],
  ])('are no more than 4 and one for each 8 MB for a first save with %s', async (_, tables, bytes) => {
    const own = saves();
    const { store } = own;
    const files = profileOf(tables, bytes);
    await own.repository.list();
    store.reset();
    const { id } = await own.save(files);
    const megabytes = sizeOf(files) / MiB;
    expect(store.told.length).toBeLessThanOrEqual(4 + megabytes / 8);
    expect(store.bytesUp).toBeLessThanOrEqual(sizeOf(files) * 1.02);
    expect(store.bytesDown).toBe(0);
    const objects = (await store.keys).filter((key) => key.includes('/objects/')).length;
    own.reopen();
    store.reset();
    expect(await own.restored(id)).toEqual(asText(files));
    expect(store.told.length).toBeLessThanOrEqual(3 + objects);
    expect(store.bytesDown).toBeLessThanOrEqual(sizeOf(files) * 1.5);
  });

  it('stay three, with few bytes, over many saves under traffic, and a restore reads each object once', async () => {
    const own = saves();
    let files: Record<string, Uint8Array> = profileOf(40, 200 * KiB);
    await own.save(files);
    for (let time = 0; time < 40; time++) {
      const added = time % 8 === 0 ? { [table(100 + time)]: bytesOf(100 + time, 300 * KiB) } : {};
      const kept =
        time % 8 === 0 ? Object.entries(files).filter(([path]) => path !== table(1 + time / 8)) : [];
      files = { ...(kept.length > 0 ? Object.fromEntries(kept) : files), ...added };
      const log = files[LOG] ?? Buffer.alloc(0);
      files[LOG] = time % 8 === 0 ? bytesOf(time, 1000) : Buffer.concat([log, bytesOf(time, 1000)]);
      own.store.reset();
      await own.save(files);
      const written = sizeOf(added) + 1000;
      expect(own.store.calls.map(({ method }) => method)).toEqual(['put', 'put', 'head']);
      expect(own.store.bytesUp).toBeLessThanOrEqual(written * 1.3 + 64 * KiB);
      expect(own.store.bytesDown).toBe(0);
    }
    const [newest] = await own.repository.list();
    own.store.reset();
    expect(await own.restored(newest?.id ?? '')).toEqual(asText(files));
    expect(own.store.calls.map(({ method }) => method)).not.toContain('list');
    expect(own.store.calls.length).toBe(new Set(own.store.calls.map(({ key }) => key)).size);
    expect(own.store.bytesDown).toBeLessThanOrEqual(sizeOf(files) * 1.5);
  });
});

import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { earlierLine, readEarlier, splitEarlier } from '../../../src/snapshot/catalog/earlier-manifests.js';
import { buildManifest, parseManifest, serializeManifest } from '../../../src/snapshot/manifest/manifest.js';
import type { SnapshotManifest } from '../../../src/types.js';
import { Dice } from '../../support/dice.js';
import { bytesOf, Packed, profileOf, table } from '../packs/pack-world.js';
import { asText, World } from '../support/world.js';

const KiB = 1024;
const world = new World();

/** Manifests of one profile, newest first: from each to the next a few files differ. */
function manifests(count: number, files: number): SnapshotManifest[] {
  const hash = (seed: number) => bytesOf(seed, 32).toString('hex');
  return Array.from({ length: count }, (_, age) => {
    const time = new Date(Date.UTC(2026, 10, 24, 0, 120 - 2 * age)).toISOString();
    const list = Array.from({ length: files }, (_, file) => ({
      path: table(file + 1),
      size: 1000,
      sha256: hash(file < 4 ? 10_000 + 10 * age + file : file),
    }));
    return buildManifest('save', { ...world.context(), createdAt: time }, list, `${age}`);
  });
}

const entriesOf = (list: readonly SnapshotManifest[]) =>
  list.map((manifest) => ({
    manifest,
    info: {
      key: `shop/snapshots/${manifest.id}.json`,
      size: 1,
      version: `v-${manifest.id}`,
      modifiedAt: new Date(0),
    },
  }));

const lineOf = (unpacked: string | Buffer) =>
  Buffer.from(`{"earlier":"${brotliCompressSync(unpacked).toString('base64')}"}\n`);
const unpackedOf = (line: Uint8Array) =>
  brotliDecompressSync(Buffer.from(Buffer.from(line).toString().split('"')[3] ?? '', 'base64'));

describe('the manifests of the earlier snapshots behind that of the next one', () => {
  it('come back as they were, with the versions of their objects', async () => {
    const list = manifests(10, 60);
    const [next, ...earlier] = list;
    if (next === undefined) throw new Error('there is none');
    const line = await earlierLine(entriesOf(earlier));
    const parts = splitEarlier(Buffer.concat([serializeManifest(next), line]));
    expect(parseManifest(parts.own)).toEqual(next);
    expect(await readEarlier(parts.earlier)).toEqual(
      earlier.map((manifest) => ({ manifest, version: `v-${manifest.id}` })),
    );
    expect(line.length).toBeLessThan(serializeManifest(next).length * 2);
  });

  it('never take more than 40 KB: the oldest are left out first', async () => {
    for (const [count, files] of [
      [40, 60],
      [20, 700],
      [3, 2000],
      [200, 5],
    ] as const) {
      const list = manifests(count, files);
      const line = await earlierLine(entriesOf(list));
      expect(line.length).toBeLessThanOrEqual(40 * KiB);
      const read = (await readEarlier(Buffer.from(line))).map(({ manifest }) => manifest.id);
      expect(read).toEqual(list.slice(0, read.length).map(({ id }) => id));
    }
    expect(await earlierLine([])).toHaveLength(0);
  });

  it('never unpack to more than 4 MB: the oldest are left out first', async () => {
    const list = manifests(64, 400);
    expect(list.reduce((sum, manifest) => sum + serializeManifest(manifest).length, 0)).toBeGreaterThan(
      4 * KiB * KiB,
    );
    const line = await earlierLine(entriesOf(list));
    expect(unpackedOf(line).length).toBeLessThanOrEqual(4 * KiB * KiB);
    const read = (await readEarlier(Buffer.from(line))).map(({ manifest }) => manifest.id);
    expect(read.length).toBeGreaterThan(32);
    expect(read).toEqual(list.slice(0, read.length).map(({ id }) => id));
  });

  it.each([
    ['a list of objects', `[${'{},'.repeat(1_000_000)}{}]`],
    ['nested lists', '['.repeat(3_000_000)],
    ['a record as the last format had it', '[{"version":"v","text":"{}"}]'],
    ['a record longer than all', Buffer.from('ffffffffffffffff7b7d', 'hex')],
    ['a manifest longer than all', Buffer.from('00000001000000ff767b7d', 'hex')],
    ['a long version', Buffer.concat([Buffer.from('00300000000000027b7d', 'hex'), Buffer.alloc(3_500_000)])],
    [
      'a long manifest',
      Buffer.concat([Buffer.from('0000000000300000', 'hex'), Buffer.alloc(3_500_000, '{},')]),
    ],
    ['empty records', Buffer.alloc(3_000_000)],
    ['5 MB', Buffer.alloc(5 * KiB * KiB, ' ')],
  ])('of a line with %s are parsed nowhere', async (_, unpacked) => {
    const line = lineOf(unpacked);
    const parse = vi.spyOn(JSON, 'parse');
    const read = await readEarlier(line);
    const parsed = parse.mock.calls.length;
    parse.mockRestore();
    expect({ read, parsed }).toEqual({ read: [], parsed: 0 });
  });

  it('of no more than 64 records are read', async () => {
    const line = await earlierLine(entriesOf(manifests(1, 2)));
    const read = await readEarlier(
      lineOf(Buffer.concat(Array.from({ length: 100 }, () => unpackedOf(line)))),
    );
    expect(read).toHaveLength(64);
  });

  it('are read up to the first record that is cut', async () => {
    const list = manifests(3, 2);
    const unpacked = unpackedOf(await earlierLine(entriesOf(list)));
    const read = await readEarlier(lineOf(unpacked.subarray(0, -1)));
    expect(read.map(({ manifest }) => manifest.id)).toEqual(list.slice(0, 2).map(({ id }) => id));
  });

  it('are passed over, and never an error, whatever became of the line', async () => {
    const dice = new Dice(7);
    const line = Buffer.from(await earlierLine(entriesOf(manifests(5, 20))));
    const ids = new Set(manifests(5, 20).map(({ id }) => id));
    for (let time = 0; time < 200; time++) {
      const damaged = Buffer.from(line);
      damaged[dice.below(line.length)] = dice.below(256);
      const cut = dice.below(4) === 0 ? damaged.subarray(0, dice.below(line.length)) : damaged;
      for (const { manifest } of await readEarlier(cut)) expect(ids).toContain(manifest.id);
    }
  });
});

describe('a remote store whose newest save carries the manifests of the earlier ones', () => {
  async function saved() {
    const own = new Packed();
    const files = profileOf(6, 40 * KiB);
    const ids: string[] = [];
    for (let time = 0; time < 5; time++) {
      ids.push((await own.save({ ...files, [table(1)]: bytesOf(time + 50, 40 * KiB) })).id);
    }
    const gets: string[] = [];
    const restart = () => {
      gets.length = 0;
      own.store.onCall = (call, key) => {
        if (call === 'get' && key.includes('/snapshots/'))
          gets.push(key.slice('shop/snapshots/'.length, -'.json'.length));
      };
      return own.reopen();
    };
    const newestFirst = [...ids].reverse();
    const oldest = asText({ ...files, [table(1)]: bytesOf(50, 40 * KiB) });
    return { own, ids, newestFirst, gets, restart, oldest };
  }

  it('gives all of them for one reading, and each can be restored and verified', async () => {
    const { own, ids, newestFirst, gets, restart, oldest } = await saved();
    const repository = restart();
    expect((await repository.list()).map(({ id }) => id)).toEqual(newestFirst);
    expect(gets).toEqual([newestFirst[0]]);
    expect(await own.restored(ids[0] ?? '')).toEqual(oldest);
    expect(gets).toEqual([newestFirst[0]]);
    await repository.verify(ids[0] ?? '');
    expect(gets).toEqual([newestFirst[0], ids[0]]);
  });

  it('is asked for what has another version than the one that is carried', async () => {
    const { own, ids, newestFirst, gets, restart } = await saved();
    const key = `shop/snapshots/${ids[1]}.json`;
    own.store.set(key, own.store.objects.get(key)?.bytes ?? Buffer.alloc(0));
    expect((await restart().list()).map(({ id }) => id)).toEqual(newestFirst);
    expect(gets).toEqual([newestFirst[0], ids[1]]);
  });

  it('does not list again what was removed', async () => {
    const { ids, newestFirst, restart } = await saved();
    const [gone] = ids;
    await restart().remove([gone ?? '']);
    expect((await restart().list()).map(({ id }) => id)).toEqual(newestFirst.filter((id) => id !== gone));
  });

  it('is asked for each if the newest one is damaged, or was put by a process that knew of none', async () => {
    const { own, ids, newestFirst, gets, restart } = await saved();
    own.store.rot(`shop/snapshots/${ids.at(-1)}.json`, 20);
    expect((await restart().list()).map(({ id }) => id)).toEqual(newestFirst.slice(1));
    expect(new Set(gets)).toEqual(new Set(ids));
    const key = `shop/snapshots/${ids.at(-2)}.json`;
    own.store.set(key, splitEarlier(own.store.objects.get(key)?.bytes ?? Buffer.alloc(0)).own);
    await own.repository.remove([ids.at(-1) ?? '']);
    expect((await restart().list()).map(({ id }) => id)).toEqual(newestFirst.slice(1));
  });

  it('still has a snapshot whose own manifest it does not deliver any more', async () => {
    const { own, ids, restart, oldest } = await saved();
    own.store.rot(`shop/snapshots/${ids[0]}.json`, 20);
    restart();
    expect(await own.restored(ids[0] ?? '')).toEqual(oldest);
    await expect(own.repository.verify(ids[0] ?? '')).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' });
  });
});

import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileSystemStore } from '../../../src/stores/file-system-store.js';
import type { SessionStore } from '../../../src/stores/session-store.js';
import { MemoryStore } from '../../../src/testing/memory-store.js';
import { blobEntry } from '../../profile/indexed-db-writer.js';
import { BLOBS, temporaryFolder } from '../../profile/profiles.js';
import { CountingStore } from '../../support/counting-store.js';
import { Dice } from '../../support/dice.js';
import { TinyStore } from '../support/memory-store.js';
import { keysOf, meter, sealed, TailWorld } from './tail-world.js';

const KiB = 1024;

const tickets = (count: number, bytes: number, name = 'k') =>
  Array.from({ length: count }, (_, index): [string, string] => [`${name}${index}`, randomText(bytes)]);

const dice = new Dice(14);

/** Text that no other value has. */
function randomText(bytes: number): string {
  return Array.from({ length: bytes }, () => String.fromCharCode(97 + dice.below(26))).join('');
}

describe.each([
  ['a remote store', async () => new CountingStore()],
  ['a folder', async () => new FileSystemStore(await temporaryFolder())],
])('the tail of a save in %s', (_, storeOf) => {
  it('brings back all that the logs had at the last tick', async () => {
    const world = await TailWorld.create(await storeOf());
    const { database } = world;
    const { id } = await world.save();
    const then = new Map(database.contents);
    for (let round = 0; round < 3; round++) {
      await database.write([...tickets(10, 2000, `r${round}-`), ['a'], ['b', `${round}`]]);
      expect(await world.tick()).toMatchObject({ kind: 'put' });
      if (round === 1) await world.flush();
    }
    await database.write([['c']]);
    await world.flush();
    await database.compact();
    await database.write(tickets(3, 100, 'last'));
    expect(await world.tick()).toMatchObject({ kind: 'put' });
    const { contents, tail } = await world.restored(id);
    expect(contents).toEqual(new Map(database.contents));
    expect(contents).not.toEqual(then);
    expect(tail).toMatchObject({ snapshot: id, run: 3, at: new Date(world.now).toISOString() });
    world.reopen(); // on another machine
    expect((await world.restored(id)).contents).toEqual(new Map(database.contents));
    expect(await world.repository.tail()).toMatchObject({ snapshot: id });
  });

  it('reads of the newest log about what it has gained, even where that is put again with the next', async () => {
    const world = await TailWorld.create(await storeOf());
    await world.database.write(tickets(150, 4 * KiB, 'long'));
    const { id } = await world.save();
    await world.database.write(tickets(5, 200, 'crumb'));
    await world.tick();
    for (let round = 0; round < 4; round++) {
      await world.database.write(tickets(5, 400, `r${round}-`));
      const read = await meter.readBy(/\.log$/, () => world.tick());
      expect(read).toBeLessThan(100 * KiB); // the log has more than 600 KB
    }
    expect((await world.restored(id)).contents).toEqual(new Map(world.database.contents));
  });

  it('has the blobs that the new records name', async () => {
    const world = await TailWorld.create(await storeOf());
    const blobs = path.join(world.database.profileDir, BLOBS, '1/00');
    await mkdir(blobs, { recursive: true });
    await writeFile(path.join(blobs, '7'), 'a large value');
    await world.database.write([blobEntry('before', [{ number: 7 }])]);
    const { id } = await world.save();
    await writeFile(path.join(blobs, '8'), 'a small value');
    await world.database.write([blobEntry('a record', [{ number: 8 }])]);
    await world.tick();
    const { tail } = await world.restored(id);
    const names = tail?.files.map((file) => file.path).filter((name) => name.startsWith(BLOBS));
    expect(names).toEqual([`${BLOBS}/1/00/8`]);
  });

  it('does without a blob that is deleted while it is put, and has it no more at the next tick', async () => {
    const world = await TailWorld.create(await storeOf());
    const blobs = path.join(world.database.profileDir, BLOBS, '1/00');
    await mkdir(blobs, { recursive: true });
    const { id } = await world.save();
    for (const name of ['7', '8']) await writeFile(path.join(blobs, name), 'a large value');
    await world.database.write([blobEntry('a record', [{ number: 7 }])]);
    await world.database.write([blobEntry('another', [{ number: 8 }])]);
    expect(await world.tick(id, () => rm(path.join(blobs, '7')))).toMatchObject({ kind: 'put' });
    const { tail } = await world.restored(id);
    expect(tail?.files.map((file) => file.path).filter((name) => name.startsWith(BLOBS))).toEqual([
      `${BLOBS}/1/00/8`,
    ]);
  });

  it('is of no use to a newer save, and is deleted with what only it needs', async () => {
    const world = await TailWorld.create(await storeOf());
    const { database } = world;
    const store: SessionStore = world.store;
    await world.save();
    await database.write(tickets(20, 3000));
    await world.tick();
    expect((await keysOf(store)).filter((key) => key.includes('tail'))).toHaveLength(1);
    const other = world.repository;
    await database.write([['after', 'the tick']]);
    const { id } = await world.save();
    world.reopen(); // a second process that sweeps
    expect(await world.repository.tail()).toBeUndefined();
    expect((await world.restored(id)).tail).toBeUndefined();
    await world.repository.sweep({ atOnce: true });
    expect((await keysOf(store)).filter((key) => key.includes('tail'))).toEqual([]);
    const { packs = [] } = await world.repository.manifest(id);
    const left = (await keysOf(store)).filter((key) => key.endsWith('.pack'));
    if (store.localPath !== undefined) expect(left).toEqual([]);
    expect(left.length).toBeLessThanOrEqual(packs.length + 1);
    expect((await world.restored(id)).contents).toEqual(new Map(database.contents));
    world.repository = other;
    await database.write([['and', 'again']]);
    expect(await world.tick()).toMatchObject({ kind: 'put' });
    expect((await world.restored(id)).contents).toEqual(new Map(database.contents));
  });

  it('keeps its packs while its save is the newest, whoever sweeps', async () => {
    const world = await TailWorld.create(await storeOf());
    const { id } = await world.save();
    await world.database.write(tickets(20, 3000));
    await world.tick();
    world.reopen();
    await world.repository.sweep({ atOnce: true });
    expect((await world.restored(id)).contents).toEqual(new Map(world.database.contents));
  });

  it('is gone after a clear', async () => {
    const world = await TailWorld.create(await storeOf());
    const { id } = await world.save();
    await world.database.write(tickets(2, 3000));
    await world.tick();
    await world.repository.clear();
    expect(await keysOf(world.store)).toEqual([]);
    expect(await world.tick(id)).toMatchObject({ kind: 'unchanged' });
    expect(await world.repository.tail()).toBeUndefined();
  });

  it('is refused for a save that is not the newest one', async () => {
    const world = await TailWorld.create(await storeOf());
    const { id } = await world.save();
    await world.database.write(tickets(2, 3000));
    await world.save();
    await world.database.write(tickets(2, 3000, 'more'));
    expect(await world.tick(id)).toMatchObject({ kind: 'refused' });
    await world.repository.clear();
    await world.database.write(tickets(2, 3000, 'even more'));
    expect(await world.tick(id)).toMatchObject({ kind: 'refused' });
    expect(await keysOf(world.store)).toEqual([]);
  });
});

describe('a tick', () => {
  it('is two puts, without a list, and nothing when nothing is new', async () => {
    const world = await TailWorld.create(new CountingStore());
    const { store, database } = world;
    await world.save();
    for (let round = 0; round < 10; round++) {
      store.reset();
      expect(await world.tick()).toEqual({ kind: 'unchanged' });
      expect(store.told).toEqual([]);
      if (round === 5) await world.flush();
      await database.write(tickets(30, 1000, `r${round}-`));
      await world.tick();
      expect(store.calls.map(({ method }) => method)).toEqual(['put', 'put']);
      expect(store.bytesUp).toBeLessThanOrEqual(32 * KiB + 64 * KiB);
      expect(store.bytesDown).toBe(0);
    }
  });

  it('writes into a folder what is new, not the log', async () => {
    const store = new FileSystemStore(await temporaryFolder());
    const world = await TailWorld.create(store);
    await world.database.write(tickets(300, 1000, 'before'));
    await world.save();
    await world.database.write(tickets(30, 1000));
    const put = await world.tick();
    expect(put.kind === 'put' && put.bytesWritten).toBeLessThan(40 * KiB);
  });

  it('lets the next save send nothing twice, and be proven', async () => {
    const world = await TailWorld.create(new CountingStore());
    const { store, database } = world;
    const first = await world.save();
    expect(first.verifiedAt).toBeDefined();
    for (let round = 0; round < 6; round++) {
      await database.write(tickets(40, 1000, `r${round}-`));
      await world.tick();
      if (round === 2) await world.flush();
    }
    await database.write(tickets(40, 1000, 'since'));
    store.reset();
    const second = await world.save();
    expect(store.calls.map(({ method }) => method)).toEqual(['put', 'put', 'head']);
    expect(store.bytesUp).toBeLessThanOrEqual(42 * KiB + 16 * KiB + 8 * KiB);
    expect(second.verifiedAt).toBeDefined();
    expect((await world.restored(second.id)).contents).toEqual(new Map(database.contents));
    world.reopen();
    await world.repository.sweep({ atOnce: true });
    await world.repository.verify(second.id);
    expect((await world.restored(second.id)).contents).toEqual(new Map(database.contents));
  });

  it('is no older content that a save builds upon once another save is there', async () => {
    const world = await TailWorld.create(new CountingStore());
    await world.save();
    await world.database.write(tickets(40, 1000, 'ticked'));
    await world.tick();
    await world.database.write(tickets(300, 1000, 'saved'));
    await world.save();
    await world.database.write(tickets(1, 1000, 'last'));
    world.store.reset();
    const { id } = await world.save();
    expect(world.store.bytesUp).toBeLessThan(64 * KiB);
    expect((await world.restored(id)).contents).toEqual(new Map(world.database.contents));
  });

  it('puts nothing where the logs are taken away meanwhile, as for a new copy of the database', async () => {
    const world = await TailWorld.create(new CountingStore());
    await world.save();
    await world.database.write(tickets(10, 1000));
    world.store.reset();
    expect(await world.tick(undefined, () => world.emptyKept())).toEqual({ kind: 'interrupted' });
    expect(world.store.told).toEqual([]);
  });

  it('is refused for a log that does not begin as it was stored', async () => {
    const world = await TailWorld.create(new CountingStore());
    const { id } = await world.save();
    const { files } = await world.repository.manifest(id);
    const log = files.find(({ path: name }) => name.endsWith('.log') && name.includes('IndexedDB'));
    const source = path.join(await temporaryFolder(), 'another.log');
    await writeFile(source, randomText((log?.size ?? 0) + 5000));
    const file = { path: log?.path ?? '', size: (log?.size ?? 0) + 5000, source };
    world.store.reset();
    expect(
      await world.repository.putTail({ snapshot: id, at: '2026-11-23T05:14:09.123Z', files: [file] }),
    ).toEqual({
      kind: 'refused',
      because: expect.stringContaining('does not begin as it was stored'),
    });
    expect(world.store.told).toEqual([]);
  });

  it('of a page that writes little makes few packs in the end', async () => {
    const world = await TailWorld.create(new CountingStore());
    const { id } = await world.save();
    let bytesUp = 0;
    for (let round = 0; round < 64; round++) {
      await world.database.write(tickets(5, 1000, `r${round}-`));
      world.store.reset();
      await world.tick();
      bytesUp += world.store.calls.reduce(
        (sum, { key, bytes }) => sum + (key.endsWith('.pack') ? bytes : 0),
        0,
      );
    }
    const written = 64 * 5 * 1000;
    expect(bytesUp).toBeLessThan(written * 4);
    world.store.reset();
    expect((await world.restored(id)).contents).toEqual(new Map(world.database.contents));
    const reads = world.store.calls.filter(({ method, key }) => method === 'get' && key.endsWith('.pack'));
    expect(reads.length).toBeLessThanOrEqual(2 + written / (32 * KiB) + 4);
  });
});

describe('a tail of a process that was paused while another one took its session over', () => {
  it('is not put by a store that keeps fences, and is by the next owner', async () => {
    const world = await TailWorld.create(new MemoryStore());
    const { store, database } = world;
    world.generation = 3;
    const { id } = await world.save();
    await database.write(tickets(3, 1000));
    expect(await world.tick()).toMatchObject({ kind: 'put' });
    const before = await store.head('shop/tail.json');
    await store.put('shop/other', Buffer.from('{}'), { fence: { name: 'shop', generation: 4 } });
    await database.write(tickets(3, 1000, 'late'));
    await expect(world.tick()).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect(await store.head('shop/tail.json')).toEqual(before);
    world.generation = 5;
    await database.write(tickets(3, 1000, 'next'));
    expect(await world.tick()).toMatchObject({ kind: 'put' });
    expect((await world.restored(id)).contents).toEqual(new Map(database.contents));
  });

  it('is put without a fence into a store that keeps none', async () => {
    const world = await TailWorld.create(new TinyStore());
    world.generation = 3;
    await world.save();
    await world.database.write(tickets(3, 1000));
    expect(await world.tick()).toMatchObject({ kind: 'put' });
  });
});

describe('a tail with something wrong', () => {
  async function ticked() {
    const world = await TailWorld.create(new TinyStore());
    const { database, store } = world;
    const { id } = await world.save();
    const then = new Map(database.contents);
    await database.write(tickets(20, 2000));
    await world.flush();
    await database.write(tickets(20, 2000, 'second'));
    await world.tick();
    const key = 'shop/tail.json';
    const [own] = JSON.parse(String(store.objects.get(key)?.bytes)).packs;
    return { world, store, id, then, key, pack: `shop/objects/packs/${own.sha256}.pack` };
  }
  type Ticked = Awaited<ReturnType<typeof ticked>>;

  const changed = ({ store, key }: Ticked, change: (tail: Record<string, unknown>) => void) => {
    const { checksum: _, ...tail } = JSON.parse(String(store.objects.get(key)?.bytes));
    change(tail);
    store.set(key, sealed(tail));
  };

  it.each<readonly [string, string, (given: Ticked) => void]>([
    ['torn', 'torn or overwritten', ({ store, key }) => store.set(key, Buffer.from('{"format":1,"cl'))],
    [
      'damaged',
      'checksum',
      ({ store, key }) => {
        const bytes = String(store.objects.get(key)?.bytes);
        store.set(key, Buffer.from(bytes.replace(/"run":3/, '"run":4')));
      },
    ],
    [
      'nested more deeply than can be serialized',
      'the tail is damaged',
      ({ store, key }) => store.set(key, nested('"format":1')),
    ],
    [
      'with such a field beside its own',
      'the tail is damaged',
      ({ store, key }) => store.set(key, nested(String(store.objects.get(key)?.bytes).slice(1, -80))),
    ],
    ['with a file twice', 'the tail is damaged: duplicate entry', (given) => changed(given, withFileTwice)],
    ['of a newer format', 'a newer version wrote it', (given) => changed(given, (tail) => (tail.format = 2))],
    [
      'of another save',
      'the tail belongs to',
      (given) => changed(given, (tail) => (tail.snapshot = '20991123T051409123Z-1a2b3c4d')),
    ],
    [
      'of a save with other files',
      'the tail belongs to',
      (given) => changed(given, (tail) => (tail.contentDigest = 'f'.repeat(64))),
    ],
    ['without one of its logs', 'does not continue its save', (given) => changed(given, withoutLog(0))],
    [
      'that needs a beginning which its save has not',
      'needs more of',
      (given) =>
        changed(given, (tail) => {
          const [first, ...others] = tail.files as { path: string }[];
          tail.files = [{ ...first, path: first?.path.replace(/\d+\.log$/, '999.log') }, ...others];
        }),
    ],
    [
      'with a file that is none of the database',
      'neither a log nor a blob',
      (given) =>
        changed(
          given,
          (tail) =>
            ((tail.files as { path: string }[])[0] = {
              ...(tail.files as { path: string }[])[0],
              path: 'Default/Cookies',
            }),
        ),
    ],
    ['whose pack is damaged', 'SHA-256', ({ store, pack }) => store.rot(pack, 3)],
    ['whose pack is gone', 'missing', ({ store, pack }) => void store.objects.delete(pack)],
  ])('%s is left out, and says why', async (_, message, damage) => {
    const given = await ticked();
    damage(given);
    given.world.reopen();
    const { why, contents } = await given.world.refused(given.id);
    expect(why).toContain(message);
    expect(contents).toEqual(given.then);
    given.world.reopen();
    await given.world.repository.verify(given.id);
    if (why.startsWith('the tail is damaged')) expect(given.world.problems).toEqual([`tail.json: ${why}`]);
  });

  it('that is of another login, or of an older save, is not of this save, and nothing is wrong', async () => {
    const given = await ticked();
    changed(given, (tail) => {
      tail.snapshot = '20991123T051409123Z-1a2b3c4d';
      tail.lineage = 'another';
    });
    given.world.reopen();
    expect((await given.world.restored(given.id)).tail).toBeUndefined();
  });

  it('is told by a verification, and is whole again after the next tick', async () => {
    const { world, store, id, pack } = await ticked();
    store.rot(pack, 3);
    await world.repository.verify(id);
    expect(world.problems).toEqual([expect.stringContaining('tail.json: pack')]);
    await world.database.write(tickets(1, 100, 'last'));
    await world.tick();
    world.problems.length = 0;
    await world.repository.verify(id);
    expect(world.problems).toEqual([]);
    expect((await world.restored(id)).contents).toEqual(new Map(world.database.contents));
  });

  it('that a newer version has written keeps what it may need', async () => {
    const given = await ticked();
    changed(given, (tail) => (tail.format = 2));
    const before = given.store.keys();
    given.world.reopen();
    await given.world.repository.sweep({ atOnce: true });
    expect(given.store.keys()).toEqual(before);
    given.store.set(given.key, Buffer.from('{'));
    given.world.reopen();
    await given.world.repository.sweep({ atOnce: true });
    expect(given.store.keys()).not.toContain(given.key);
  });
});

/** A JSON object with these members, and one that no recursive writer can write. */
function nested(members: string): Buffer {
  return Buffer.from(`{${members},"x":${'['.repeat(100_000)}${']'.repeat(100_000)},"checksum":"a"}\n`);
}

function withFileTwice(tail: Record<string, unknown>): void {
  const [first] = tail.files as unknown[];
  tail.files = [...(tail.files as unknown[]), first];
}

function withoutLog(index: number) {
  return (tail: Record<string, unknown>) => {
    const files = tail.files as unknown[];
    const packs = tail.packs as { pieces: [number, number, number, number][] }[];
    tail.files = files.filter((_, at) => at !== index);
    tail.packs = packs
      .map((pack) => ({
        ...pack,
        pieces: pack.pieces
          .filter(([file]) => file !== index)
          .map(([file, ...rest]) => [file > index ? file - 1 : file, ...rest]),
      }))
      .filter(({ pieces }) => pieces.length > 0);
  };
}

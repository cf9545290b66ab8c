import { beforeEach, describe, expect, it } from 'vitest';
import { ManifestFolder } from '../../../src/snapshot/catalog/manifest-folder.js';
import { openRepository } from '../../../src/snapshot/repository/open-repository.js';
import type { SnapshotRepository } from '../../../src/snapshot/repository.js';
import { CountingStore } from '../../support/counting-store.js';
import { PROFILE, World } from '../support/world.js';

const FOLDER = '/session/manifests/shop';

describe('the manifests that this machine has read', () => {
  let world: World;
  let store: CountingStore;
  let isOwned: boolean;

  beforeEach(async () => {
    world = new World();
    store = new CountingStore();
    isOwned = true;
    await world.fs.promises.mkdir('/session', { recursive: true });
  });

  function open(storeName = 'saves', from = store): SnapshotRepository {
    const { fs, runner, clock } = world;
    const manifests = new ManifestFolder({
      ...{ fs, storeName, kind: 'save' as const, directory: FOLDER },
      isOwned: () => isOwned,
    });
    return openRepository({ kind: 'save' }, { store: from, clientId: 'shop', runner, fs, clock, manifests });
  }

  async function save(repository = open()): Promise<string> {
    world.now += 1000;
    const tree = await world.capture({ ...PROFILE, note: String(world.now) });
    const { snapshot } = await repository.create(tree, world.context());
    return snapshot.id;
  }

  const reads = () =>
    store.calls.filter(({ method, key }) => method === 'get' && key.includes('/snapshots/'));
  const kept = async () => Object.keys((await world.read(FOLDER)) ?? {});

  it('are not read again by the next process', async () => {
    const ids = [await save(), await save()].reverse();
    store.reset();
    expect((await open().list()).map(({ id }) => id)).toEqual(ids);
    expect(reads()).toEqual([]);
    await open().restore(ids[0] ?? '', '/out');
    expect((await world.read('/out'))?.note).toBe(String(world.now));
  });

  it('are read again where the object has changed, or the file is damaged', async () => {
    const id = await save();
    const [name] = await kept();
    await world.fs.promises.writeFile(`${FOLDER}/${name}`, '{"format":1}');
    store.reset();
    expect((await open().list()).map((info) => info.id)).toEqual([id]);
    expect(reads()).toHaveLength(1);
    await store.put(`shop/snapshots/${id}.json`, Buffer.from('{"half'));
    expect(await open().list()).toEqual([]);
    expect(await kept()).toEqual([]);
  });

  it('are read from the store by verify(), which finds one that rotted under its old version', async () => {
    const id = await save();
    const get = store.get.bind(store);
    store.get = async (key, options) => {
      const found = await get(key, options);
      if (found === undefined || !key.includes('/snapshots/')) return found;
      found.body.destroy();
      const { Readable } = await import('node:stream');
      return { ...found, body: Readable.from([Buffer.alloc(found.info.size)], { objectMode: false }) };
    };
    await expect(open().verify(id)).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' });
  });

  it('go with their snapshots, and the folders with the last one; those of another store stay', async () => {
    const id = await save();
    const other = await save(open('other', new CountingStore()));
    expect(await kept()).toHaveLength(2);
    const repository = open();
    await repository.remove([id]);
    await repository.list();
    expect(await kept()).toHaveLength(1);
    expect(other).not.toBe(id);
    await open('other').list(); // it is empty now
    expect(await world.read('/session/manifests')).toBeUndefined();
  });

  it('go with a clear()', async () => {
    const repository = open();
    await save(repository);
    await repository.clear();
    expect(await world.read('/session/manifests')).toBeUndefined();
  });

  it('are left alone by a process that does not own the session', async () => {
    isOwned = false;
    await save();
    expect(await kept()).toEqual([]);
    isOwned = true;
    await save();
    isOwned = false;
    store.reset();
    await open().list();
    expect(reads()).toHaveLength(1); // the newest one carries the other along
    expect(await kept()).toHaveLength(2); // as the owner left them
  });

  it('do not make a removed folder of the session again, and follow no link', async () => {
    await world.fs.promises.rm('/session', { recursive: true });
    await save();
    expect(await world.read('/session')).toBeUndefined();
    await world.fs.promises.mkdir('/session/manifests', { recursive: true });
    await world.fs.promises.mkdir('/elsewhere');
    const { promises } = world.fs as unknown as typeof import('node:fs');
    await promises.symlink('/elsewhere', FOLDER);
    await save();
    expect(await world.read('/elsewhere')).toEqual({});
  });
});

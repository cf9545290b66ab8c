import { describe, expect, it } from 'vitest';
import { openRepository } from '../../../src/snapshot/repository/open-repository.js';
import { parseState } from '../../../src/snapshot/state/store-state.js';
import { FileSystemStore } from '../../../src/stores/file-system-store.js';
import type { SessionStore } from '../../../src/stores/session-store.js';
import { TinyStore } from '../support/memory-store.js';
import { PROFILE, World } from '../support/world.js';

function repositories(world: World, store: SessionStore) {
  const shared = { store, clientId: 'shop', runner: world.runner, fs: world.fs, clock: world.clock };
  return [
    openRepository({ kind: 'save' }, shared),
    openRepository({ kind: 'backup', stagingDirectory: '/staging' }, shared),
  ] as const;
}

describe('what a killed process left', () => {
  it('goes at the next start: unfinished values of the store, unfinished zips', async () => {
    const world = new World();
    const [saves, backups] = repositories(world, new FileSystemStore('/store', world));
    await world.fs.promises.mkdir('/store/shop', { recursive: true });
    await world.fs.promises.mkdir('/staging');
    await world.fs.promises.writeFile('/store/shop/.tmp-beef-1-00ff', 'half');
    await world.fs.promises.utimes('/store/shop/.tmp-beef-1-00ff', 0, 0);
    expect(await saves.removeLeftovers()).toEqual({ freedBytes: 4, files: 1 });
    await world.fs.promises.writeFile('/staging/00ff.zip.partial', 'half a zip');
    expect(await backups.removeLeftovers()).toEqual({ freedBytes: 10, files: 1 });
    expect(await world.read('/staging')).toEqual({});
  });

  it('is nothing where a store knows of no such thing', async () => {
    const world = new World();
    const [saves, backups] = repositories(world, new TinyStore());
    expect(await saves.removeLeftovers()).toEqual({ freedBytes: 0, files: 0 });
    expect(await backups.removeLeftovers()).toEqual({ freedBytes: 0, files: 0 });
  });

  it('is told as a fault of the store when it can not be removed', async () => {
    const world = new World();
    const store = Object.assign(new TinyStore(), {
      sweepTemporaries: () => Promise.reject(new Error('unplugged')),
    });
    const [saves] = repositories(world, store);
    await expect(saves.removeLeftovers()).rejects.toMatchObject({ code: 'STORE' });
  });

  it('goes with a sweep: the record of a verification whose snapshot is gone', async () => {
    for (const index of [0, 1] as const) {
      const world = new World();
      const store = new TinyStore();
      const repository = repositories(world, store)[index];
      const { snapshot } = await repository.create(await world.capture(PROFILE), world.context());
      await repository.verify(snapshot.id);
      const { snapshot: gone } = await repository.create(await world.capture({ a: 'a' }), world.context());
      await repository.verify(gone.id);
      await repository.remove([gone.id]);
      const verified = async () => {
        const state = await store.get('shop/state.json');
        return parseState(Buffer.concat(await (state?.body.toArray() ?? []))).verified.map(({ id }) => id);
      };
      expect(await verified()).toEqual([snapshot.id, gone.id]);
      await repository.sweep();
      expect(await verified()).toEqual([snapshot.id]);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { splitEarlier } from '../../../src/snapshot/catalog/earlier-manifests.js';
import { openRepository } from '../../../src/snapshot/repository/open-repository.js';
import { BackupDirStore } from '../../../src/stores/backup-dir-store.js';
import { FileSystemStore } from '../../../src/stores/file-system-store.js';
import { inlineTaskRunner } from '../../../src/task.js';
import { failingFileSystem } from '../../../src/testing/failing-file-system.js';
import { TinyStore } from '../support/memory-store.js';
import { PROFILE, World } from '../support/world.js';

const READING = /^(open|readFile|createReadStream|handle\.read|readStream\.read)$/;
const cases = (['save', 'backup'] as const).flatMap((kind) =>
  (['remote', 'local'] as const).map((place) => ({ kind, place })),
);

/** A store that answers, for one object, that it can't deliver it: an archive tier, a bad sector. */
class PickyStore extends TinyStore {
  withheld: readonly string[] = [];
  missing = 'nothing';

  /** As if a process had put this snapshot that knew of no other one: it carries no manifest of the earlier ones. */
  forgetEarlier(id: string): void {
    for (const [key, { bytes }] of this.objects) {
      if (key.includes(id) && key.endsWith('.json')) this.set(key, splitEarlier(bytes).own);
    }
  }

  override async get(key: string): ReturnType<TinyStore['get']> {
    if (key.includes(this.missing)) return undefined;
    if (!this.withheld.some((text) => key.includes(text))) return super.get(key);
    throw Object.assign(new Error('not valid for its storage class'), { name: 'InvalidObjectState' });
  }
}

describe.each(cases)('a $kind that its $place store lists and does not deliver', ({ kind, place }) => {
  /** A process that has just started, with two snapshots in its store. */
  async function setup() {
    const world = new World();
    const fs = failingFileSystem(world.fs);
    const picky = new PickyStore();
    const Local = kind === 'save' ? FileSystemStore : BackupDirStore;
    const store = place === 'remote' ? picky : new Local('/store', { fs });
    const problems: [string, unknown][] = [];
    const open = () =>
      openRepository(kind === 'save' ? { kind } : { kind, stagingDirectory: '/staging' }, {
        ...{ store, clientId: 'shop', runner: inlineTaskRunner(fs), fs, clock: world.clock },
        onProblem: (id, error) => problems.push([id, error]),
      });
    const create = async (repository: ReturnType<typeof open>, note: string) => {
      world.now += 60_000;
      return repository.create(await world.capture({ ...PROFILE, 'Local State': note }), world.context());
    };
    const before = open();
    const { snapshot: older } = await create(before, 'older');
    const { snapshot: newer } = await create(before, 'newer');
    picky.forgetEarlier(newer.id);
    const withhold = (...ids: readonly string[]) => {
      picky.withheld = ids;
      fs.arm({
        ...{ operation: READING, path: new RegExp(`(?<!\\.lock-[^/]*)(${ids.join('|')})`), errno: 'EIO' },
        ...{ failOn: 1, times: Number.POSITIVE_INFINITY },
      });
    };
    const deliver = () => {
      picky.withheld = [];
      fs.arm({});
    };
    return {
      world,
      fs,
      picky,
      problems,
      restart: open,
      repository: open(),
      create,
      older,
      newer,
      withhold,
      deliver,
    };
  }

  it('is passed over, reported once, and listed again as soon as it is delivered', async () => {
    const { repository, problems, older, newer, withhold, deliver } = await setup();
    withhold(older.id);
    for (let round = 0; round < 3; round++) {
      expect((await repository.list()).map(({ id }) => id)).toEqual([newer.id]);
    }
    expect(problems).toMatchObject([[older.id, { code: 'STORE' }]]);
    deliver();
    expect((await repository.list()).map(({ id }) => id)).toEqual([newer.id, older.id]);
    withhold(older.id);
    expect(await repository.list()).toHaveLength(2); // this process has read it
    expect(problems).toHaveLength(1);
  });

  it('does not hinder the next snapshot, nor what is removed and swept', async () => {
    const { repository, create, older, newer, withhold } = await setup();
    withhold(older.id);
    const { snapshot } = await create(repository, 'newest');
    await repository.remove([newer.id]);
    await repository.sweep();
    expect((await repository.list()).map(({ id }) => id)).toEqual([snapshot.id]);
    await expect(repository.verify(snapshot.id)).resolves.toMatchObject({ id: snapshot.id });
  });

  it('is never deleted because of it, and a sweep keeps what it needs', async () => {
    const { repository, create, older, newer, withhold, deliver } = await setup();
    withhold(older.id);
    await create(repository, 'newest');
    await repository.remove([newer.id]);
    await repository.sweep();
    const unreadable = await repository.unreadable();
    expect(unreadable).toMatchObject([{ id: older.id, fault: { session: { code: 'STORE' } } }]);
    const { removed } = await repository.removeUnreadable(unreadable.map(({ key }) => key));
    expect(removed).toEqual([]);
    deliver();
    await expect(repository.verify(older.id)).resolves.toMatchObject({ id: older.id });
  });

  it('is removed when it is to be removed', async () => {
    const { repository, older, newer, withhold } = await setup();
    withhold(older.id);
    await repository.list();
    expect((await repository.remove([older.id])).removed).toEqual([older.id]);
    expect((await repository.list()).map(({ id }) => id)).toEqual([newer.id]);
    expect(await repository.unreadable()).toEqual([]);
  });

  it('says why when it is the one that is wanted', async () => {
    const { repository, older, withhold } = await setup();
    withhold(older.id);
    await expect(repository.manifest(older.id)).rejects.toMatchObject({ code: 'STORE' });
    await expect(repository.verify(older.id)).rejects.toMatchObject({ code: 'STORE' });
  });

  it('together with all others is a store that fails', async () => {
    const { repository, problems, older, newer, withhold, deliver } = await setup();
    withhold(older.id, newer.id);
    await expect(repository.list()).rejects.toMatchObject({ code: 'STORE' });
    await expect(repository.unreadable()).rejects.toMatchObject({ code: 'STORE' });
    expect(problems).toHaveLength(2);
    deliver();
    expect(await repository.list()).toHaveLength(2);
  });

  it('together with all others does not hinder the next snapshot', async () => {
    const { repository, create, older, newer, withhold } = await setup();
    withhold(older.id, newer.id);
    const { snapshot } = await create(repository, 'newest');
    expect((await repository.list()).map(({ id }) => id)).toEqual([snapshot.id]);
  });

  it('may be the state of the logins, of which there is a copy', async () => {
    const { repository, restart, create, older, newer, withhold, deliver } = await setup();
    const { verifiedAt } = await repository.verify(older.id);
    const restarted = restart();
    withhold('/state.json');
    expect((await restarted.list()).map(({ id }) => id)).toEqual([newer.id, older.id]);
    await expect(create(restarted, 'newest')).resolves.toMatchObject({ bytesWritten: expect.any(Number) });
    deliver();
    expect((await restarted.list()).find(({ id }) => id === older.id)?.verifiedAt).toBe(verifiedAt);
  });

  it('gets a second chance at once, so that a fault of a moment is none', async () => {
    const { repository, problems, older, fs, picky } = await setup();
    let isOver = false;
    picky.onCall = (call, key) => {
      if (isOver || call !== 'get' || !key.includes(older.id)) return;
      isOver = true;
      throw new Error('a moment');
    };
    fs.arm({ operation: READING, path: older.id, errno: 'EIO', failOn: 1 });
    expect(await repository.list()).toHaveLength(2);
    expect(problems).toEqual([]);
  });

  if (place === 'remote') {
    it('may also be one that it lists and has not: that is no deletion', async () => {
      const { repository, problems, picky, older, newer } = await setup();
      picky.missing = newer.id;
      expect((await repository.list()).map(({ id }) => id)).toEqual([older.id]);
      expect(problems).toMatchObject([
        [newer.id, { message: expect.stringContaining('has no such object') }],
      ]);
    });

    it('is not one that was deleted while the store was listed', async () => {
      const { repository, problems, picky, older, newer } = await setup();
      picky.onCall = (call, key) => {
        if (call === 'get' && key.includes(older.id)) picky.objects.delete(key);
      };
      expect((await repository.list()).map(({ id }) => id)).toEqual([newer.id]);
      expect(problems).toEqual([]);
    });
  }
});

import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { systemFileSystem as fs } from '../../../src/file-system.js';
import { openRepository, type RepositoryFormat } from '../../../src/snapshot/repository/open-repository.js';
import type { SnapshotRepository } from '../../../src/snapshot/repository.js';
import { type OwnershipEpoch, ThreadedRepository } from '../../../src/snapshot/thread/threaded-repository.js';
import { BackupDirStore } from '../../../src/stores/backup-dir-store.js';
import { FileSystemStore } from '../../../src/stores/file-system-store.js';
import { localStoreSpec } from '../../../src/stores/local-store-spec.js';
import type { TaskRunner } from '../../../src/task.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { MemoryStore } from '../../../src/testing/memory-store.js';
import type { CapturedTree } from '../../../src/types.js';
import { createTaskRunner } from '../../../src/worker/worker-runner.js';
import { WritePermit } from '../../../src/write-permit.js';
import { workerOfSources } from '../../worker/worker-of-sources.js';
import { LEVELDB, PROFILE, World } from '../support/world.js';

describe.each(['save', 'backup'] as const)('a repository of %ss that works in the worker thread', (kind) => {
  let home: string;
  let runner: TaskRunner;
  let tasks: string[];
  let problems: [string, unknown][];
  let ownershipEpoch: OwnershipEpoch | undefined;
  let repository: SnapshotRepository;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'wps-threaded-'));
    const real = createTaskRunner({ fs, workerUrl: workerOfSources() });
    tasks = [];
    runner = {
      run: (task, input, options) => {
        tasks.push(task.name);
        return real.run(task, input, options);
      },
      close: () => real.close(),
    };
    problems = [];
    ownershipEpoch = owned(home);
    repository = open();
  });
  afterEach(async () => {
    await runner.close();
    await rm(home, { recursive: true, force: true });
  });

  function open(): SnapshotRepository {
    const store = new FileSystemStore(join(home, 'store'));
    const place = localStoreSpec(store);
    if (place === undefined) throw new Error('it is plain');
    const format: RepositoryFormat =
      kind === 'save' ? { kind } : { kind, stagingDirectory: join(home, 'staging'), compression: 'fast' };
    const shared = { store, clientId: 'shop', runner, fs };
    return new ThreadedRepository({
      local: openRepository(format, shared),
      spec: { ...format, store: place, clientId: 'shop' },
      runner,
      ownershipEpoch: () => ownershipEpoch,
      onProblem: (id, error) => problems.push([id, error]),
    });
  }

  async function capture(name: string, files = PROFILE): Promise<CapturedTree> {
    const directory = join(home, name);
    const captured = [];
    for (const [path, content] of Object.entries(files)) {
      const target = join(directory, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content);
      const size = Buffer.byteLength(content);
      captured.push({ path, size, source: { size, mtimeNs: String(size), inode: '1' } });
    }
    return { directory, files: captured };
  }

  const context = (overrides = {}) => new World().context(overrides);

  function owned(name: string): OwnershipEpoch {
    const permit = new WritePermit();
    permit.extendTo(systemClock.monotonic() + 600_000);
    return { name, permit };
  }

  it('keeps, lists, compares, restores and removes snapshots as in this thread', async () => {
    const tree = await capture('one');
    const created = await repository.create(tree, context());
    const { snapshot } = created;
    expect(created).toMatchObject({ bytesWritten: expect.any(Number) });
    expect(await repository.list()).toEqual([snapshot]);
    expect(await repository.unchanged(tree.files, context())).toEqual(snapshot);
    expect(await repository.create(tree, context())).toMatchObject({ skipped: 'unchanged' });
    expect((await repository.manifest(snapshot.id)).files).toHaveLength(Object.keys(PROFILE).length);
    expect(await repository.verify(snapshot.id)).toMatchObject({ id: snapshot.id });
    await repository.restore(snapshot.id, join(home, 'out'));
    for (const [path, content] of Object.entries(PROFILE)) {
      expect(await readFile(join(home, 'out', path))).toEqual(Buffer.from(content));
    }
    await repository.revoke('lineage-1', { cause: 'phone', at: '2026-11-23T06:00:00.000Z' });
    expect(await repository.revokedLineages()).toEqual(new Set(['lineage-1']));
    await repository.hold('lineage-1', { cause: 'removed', at: '2026-11-23T06:00:00.000Z' });
    expect(await repository.heldLineages()).toEqual(new Set(['lineage-1']));
    await repository.release('lineage-1');
    expect(await repository.remove([snapshot.id])).toMatchObject({ removed: [snapshot.id] });
    await repository.sweep();
    await repository.removeLeftovers();
    await repository.clear();
    expect(await repository.list()).toEqual([]);
    expect(new Set(tasks)).toEqual(new Set(['snapshot:repository']));
  });

  it('works in this thread while nobody owns the session, on the same snapshots', async () => {
    const { snapshot } = await repository.create(await capture('one'), context());
    ownershipEpoch = undefined;
    tasks.length = 0;
    expect((await repository.list()).map(({ id }) => id)).toEqual([snapshot.id]);
    expect(tasks).toEqual([]);
  });

  it('says of a damaged snapshot what and which, once', async () => {
    const { snapshot } = await repository.create(await capture('one'), context());
    const [name] = await readdir(join(home, 'store/shop', kind === 'save' ? 'snapshots' : ''));
    const path = join(home, 'store/shop', kind === 'save' ? 'snapshots' : '', name ?? '');
    await writeFile(path, 'torn');
    expect(await repository.list()).toEqual([]);
    expect(await repository.list()).toEqual([]);
    expect(problems.map(([id]) => id)).toEqual([snapshot.id]);
    expect(problems[0]?.[1]).toMatchObject({ name: 'SnapshotCorruptError', code: 'SNAPSHOT_CORRUPT' });
  });

  it('tells and removes what can not be read', async () => {
    const { snapshot } = await repository.create(await capture('one'), context());
    const folder = join(home, 'store/shop', kind === 'save' ? 'snapshots' : '');
    const [name] = await readdir(folder);
    await writeFile(join(folder, name ?? ''), 'torn');
    const [found] = await repository.unreadable();
    expect(found).toMatchObject({ id: snapshot.id, createdAt: snapshot.createdAt, storedBytes: 4 });
    expect(await repository.removeUnreadable([found?.key ?? ''])).toEqual({
      removed: [snapshot.id],
      freedBytes: 4,
    });
    expect(await repository.unreadable()).toEqual([]);
  });

  it('fails as in this thread: by class, code and errno', async () => {
    await expect(repository.manifest('unknown')).rejects.toMatchObject({ name: 'SnapshotNotFoundError' });
    const tree = await capture('one');
    await rm(join(tree.directory, `${LEVELDB}/000005.ldb`));
    await expect(repository.create(tree, context())).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' });
    const abort = AbortSignal.abort(new Error('stopping'));
    await expect(repository.list({ signal: abort })).rejects.toThrow('stopping');
  });

  it('says of a damaged snapshot what and which also where the call itself fails', async () => {
    const { snapshot } = await repository.create(await capture('one'), context());
    const folder = join(home, 'store/shop', kind === 'save' ? 'snapshots' : '');
    const [name] = await readdir(folder);
    await writeFile(join(folder, name ?? ''), 'torn');
    await expect(repository.manifest(snapshot.id)).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' });
    expect(problems.map(([id]) => id)).toEqual([snapshot.id]);
  });

  it('tells who only looks all the same when the session is given up meanwhile', async () => {
    const { snapshot } = await repository.create(await capture('one'), context());
    const all = Promise.allSettled([
      repository.list(),
      repository.manifest(snapshot.id),
      repository.revoke('lineage-1', { cause: 'phone', at: '2026-11-23T06:00:00.000Z' }),
    ]);
    await runner.close();
    const [listed, manifest, revoked] = await all;
    expect(listed).toMatchObject({ status: 'fulfilled', value: [{ id: snapshot.id }] });
    expect(manifest).toMatchObject({ status: 'fulfilled', value: { id: snapshot.id } });
    expect(revoked).toMatchObject({ status: 'rejected', reason: { code: 'CLOSED' } });
  });

  it('knows nothing of what it knew in an earlier time of ownership', async () => {
    const tree = await capture('one');
    await repository.create(tree, context());
    expect(await repository.unchanged(tree.files, context())).toBeDefined();
    ownershipEpoch = owned('another');
    expect(await repository.unchanged(tree.files, context())).toBeUndefined();
  });

  it('changes nothing any more when the session is lost and nobody could tell the thread', async () => {
    const { snapshot } = await repository.create(await capture('one'), context());
    const another = await capture('two', { ...PROFILE, [`${LEVELDB}/000006.log`]: 'more' });
    const revocation = { cause: 'phone', at: '2026-11-23T06:00:00.000Z' } as const;
    ownershipEpoch?.permit.end();
    for (const write of [
      () => repository.create(another, context()),
      () => repository.remove([snapshot.id]),
      () => repository.revoke('lineage-1', revocation),
      () => repository.clear(),
    ]) {
      await expect(write()).rejects.toMatchObject({ name: 'LeaseLostError', code: 'LEASE_LOST' });
    }
    expect(await repository.list()).toEqual([snapshot]);
    expect(await repository.verify(snapshot.id)).toMatchObject({ id: snapshot.id });
    expect(new Set(tasks)).toEqual(new Set(['snapshot:repository']));
  });

  it.runIf(kind === 'backup')('hands out a zip as a stream', async () => {
    const { snapshot } = await repository.create(await capture('one'), context());
    const body = await repository.open?.(snapshot.id);
    let bytes = 0;
    for await (const chunk of body ?? []) bytes += (chunk as Buffer).length;
    const [name] = await readdir(join(home, 'store/shop'));
    expect(bytes).toBe((await stat(join(home, 'store/shop', name ?? ''))).size);
  });
});

describe('a store that another thread can open', () => {
  it('is a folder of the real disk, as it comes', () => {
    expect(localStoreSpec(new FileSystemStore('/data', { platform: 'linux' }))).toEqual({
      name: 'file-system',
      root: '/data',
      platform: 'linux',
    });
    expect(localStoreSpec(new BackupDirStore('/backups'))).toMatchObject({ name: 'backup-dir' });
  });

  it('is none of another kind, file system or clock, and none that was changed', () => {
    class Encrypted extends FileSystemStore {}
    const patched = new FileSystemStore('/data');
    patched.head = async () => undefined;
    const { fs: memory } = new World();
    for (const store of [
      new MemoryStore(),
      new Encrypted('/data'),
      patched,
      new FileSystemStore('/data', { fs: memory }),
      new FileSystemStore('/data', { clock: new ManualClock() }),
    ]) {
      expect(localStoreSpec(store)).toBeUndefined();
    }
  });
});

import { describe, expect, it } from 'vitest';
import type { StoreError } from '../../../src/errors.js';
import { openRepository } from '../../../src/snapshot/repository/open-repository.js';
import type { SnapshotRepository } from '../../../src/snapshot/repository.js';
import { inlineTaskRunner } from '../../../src/task.js';
import { failingFileSystem } from '../../../src/testing/failing-file-system.js';
import { TinyLocalStore } from '../support/local-store.js';
import { TinyStore } from '../support/memory-store.js';
import { PROFILE, World } from '../support/world.js';

const FOR_EVER = { failOn: 1, times: Number.POSITIVE_INFINITY };
const cases = (['incremental', 'zip'] as const).flatMap((format) =>
  (['remote', 'local'] as const).map((place) => ({ format, place })),
);

describe.each(cases)('a restore of the $format repository over a $place store', ({ format, place }) => {
  async function setup() {
    const world = new World();
    const fs = failingFileSystem(world.fs);
    const store = place === 'remote' ? new TinyStore() : new TinyLocalStore(world.fs, '/store');
    const shared = { store, clientId: 'shop', runner: inlineTaskRunner(fs), fs, clock: world.clock };
    const repository: SnapshotRepository =
      format === 'zip'
        ? openRepository({ kind: 'backup', stagingDirectory: '/staging' }, shared)
        : openRepository({ kind: 'save' }, shared);
    const created = await repository.create(await world.capture(PROFILE), world.context());
    return { fs, world, repository, id: created.snapshot.id };
  }

  it.each([
    ['handle.write', 'ENOSPC'],
    ['open', 'EACCES'],
  ])('tells a fault of the disk it writes to as one of the system: %s, %s', async (operation, errno) => {
    const { fs, repository, id } = await setup();
    fs.arm({ operation, path: '/out', errno, ...FOR_EVER });
    await expect(repository.restore(id, '/out')).rejects.toMatchObject({ code: errno });
  });

  if (place === 'local') {
    it.each([
      ['handle.read', 'EIO'],
      ['open', 'EACCES'],
    ])('tells a fault of the store as one of the store: %s, %s', async (operation, errno) => {
      const { fs, world, repository, id } = await setup();
      fs.arm({ operation, path: format === 'zip' ? '.zip' : '/objects/', errno, ...FOR_EVER });
      const failure: unknown = await repository.restore(id, '/out').catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'STORE', cause: { code: errno } });
      if (format === 'incremental') expect(Object.keys(PROFILE)).toContain((failure as StoreError).file);
      expect(String(failure)).toContain(errno);
      expect(String(failure)).not.toContain('/store/'); // no path of the machine
      expect(await world.read('/out')).toBeUndefined();
    });
  }

  if (place === 'remote' && format === 'zip') {
    it('tells a fault of the staged copy of the zip as one of the system', async () => {
      const { fs, repository, id } = await setup();
      fs.arm({ operation: 'handle.read', path: '/staging', ...FOR_EVER });
      await expect(repository.restore(id, '/out')).rejects.toMatchObject({ code: 'EIO' });
    });
  }
});

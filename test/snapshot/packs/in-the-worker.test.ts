import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemFileSystem as fs } from '../../../src/file-system.js';
import { openRepository } from '../../../src/snapshot/repository/open-repository.js';
import type { TaskRunner } from '../../../src/task.js';
import { MemoryStore } from '../../../src/testing/memory-store.js';
import { createTaskRunner } from '../../../src/worker/worker-runner.js';
import { captureTree, contextAt, readTree, sameTree } from '../../chaos/synthetic/tree.js';
import { workerOfSources } from '../../worker/worker-of-sources.js';
import { bytesOf, profileOf } from './pack-world.js';

const LOG = 'Default/Local Storage/leveldb/000003.log';

describe('packs on a real disk, with their work done in the worker thread', () => {
  let home: string;
  let runner: TaskRunner;
  const tasks: string[] = [];

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'wps-packs-'));
    const inner = createTaskRunner({ fs, workerUrl: workerOfSources() });
    runner = {
      run: (task, input, options) => {
        tasks.push(task.name);
        // Nothing of it may be done in this thread, where the bot works.
        const inThread = {
          ...task,
          run: () => Promise.reject(new Error(`${task.name} is unknown to the worker`)),
        };
        return inner.run(inThread, input, options);
      },
      close: () => inner.close(),
    };
  });
  afterEach(async () => {
    await runner.close();
    rmSync(home, { recursive: true, force: true });
  });

  it('come back as they were', async () => {
    const repository = openRepository(
      { kind: 'save' },
      { store: new MemoryStore(), clientId: 'shop', runner, fs },
    );
    const first = new Map(Object.entries(profileOf(3)));
    const log = bytesOf(50, 300_000);
    first.set(LOG, log);
    const next = new Map([...first, [LOG, Buffer.concat([log, bytesOf(51, 20_000)])]]);
    for (const [index, files] of [first, next].entries()) {
      const tree = await captureTree(fs, join(home, `captured-${index}`), files);
      const at = `2026-11-23T05:1${index}:09.123Z`;
      const { snapshot } = await repository.create(tree, contextAt(at));
      await repository.restore(snapshot.id, join(home, `restored-${index}`));
      expect(sameTree(await readTree(fs, join(home, `restored-${index}`)), files)).toBe(true);
    }
    expect(tasks).toEqual(expect.arrayContaining(['snapshot:digest-pack', 'snapshot:begins-with']));
    const [newest] = await repository.list();
    const { packs = [] } = await repository.manifest(newest?.id ?? '');
    expect(packs.map(({ size }) => size).sort((a, b) => a - b)[0]).toBe(20_000);
  });
});

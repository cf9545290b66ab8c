import fs from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { captureTask } from '../../../src/profile/capture-task.js';
import { ESSENTIAL_PATHS } from '../../../src/profile/essential-files.js';
import { keepLogs } from '../../../src/profile/follow/keep-logs.js';
import type { KeptBase } from '../../../src/profile/follow/kept-base.js';
import type { KeptLog } from '../../../src/profile/follow/prove-logs.js';
import { readTailTask, type TailFile, type TailReading } from '../../../src/profile/follow/read-tail.js';
import type { TaskContext } from '../../../src/task.js';
import { failingFileSystem } from '../../../src/testing/failing-file-system.js';
import { sha256 } from '../../snapshot/support/local-store.js';
import { blobEntry } from '../indexed-db-writer.js';
import { INDEXED_DB, temporaryFolder } from '../profiles.js';
import { LiveDatabase } from './live-database.js';

const context: TaskContext = { fs, clock: systemClock };

describe('a reading of what the logs have gained', () => {
  let database: LiveDatabase;
  let folder: string;
  let base: KeptBase;

  beforeEach(async () => {
    database = await LiveDatabase.create();
    folder = path.join(await temporaryFolder(), 'kept');
    await mkdir(folder);
    const targetDir = path.join(await temporaryFolder(), 'copy');
    const follow = { folder, roomBytes: 1024 ** 3 };
    const input = { profileDir: database.profileDir, targetDir, mode: 'hot' as const, follow };
    const made = (await captureTask.run(input, context)).base;
    if (made === undefined) throw new Error('no base was kept');
    base = made;
  });

  const read = (last?: readonly KeptLog[], on = context): Promise<TailReading> =>
    readTailTask.run({ profileDir: database.profileDir, base, ...(last && { last }) }, on);

  async function grown(last?: readonly KeptLog[]) {
    const reading = await read(last);
    if (reading.kind !== 'read') throw new Error(JSON.stringify(reading));
    return reading;
  }

  const keep = () => keepLogs(fs, { from: path.join(database.profileDir, INDEXED_DB), to: folder });

  async function expectBytes(files: readonly TailFile[]): Promise<void> {
    for (const file of files) {
      const bytes = await fs.promises.readFile(file.source);
      expect(file.size).toBe(bytes.length);
      if (file.sha256 !== undefined) expect(file.sha256).toBe(sha256(bytes));
    }
  }

  it('has every log since the base, with the hash of what it has now', async () => {
    const logs = [database.logName];
    await database.write([['e', 'x'.repeat(3000)]]);
    await keep();
    await database.flush();
    logs.push(database.logName);
    await database.write([['f', '1']]);
    const { files } = await grown();
    expect(files.map(({ path: name }) => name)).toEqual(logs.map((name) => `${INDEXED_DB}/${name}`));
    await expectBytes(files);
  });

  it('reads nothing as long as no log has grown', async () => {
    await database.write([['e', '1']]);
    const { logs, base: known } = await grown();
    base = known;
    const watching = failingFileSystem(fs, { operation: 'open', path: '.log' });
    expect(await read(logs, { ...context, fs: watching })).toEqual({ kind: 'same' });
    expect(watching.matchingCalls).toBe(0);
    await database.write([['f', '1']]);
    expect((await read(logs, { ...context, fs: watching })).kind).toBe('read');
    expect(watching.matchingCalls).toBe(1);
  });

  it('is broken when a log was missed', async () => {
    await database.flush();
    await database.write([['a'], ['f', '1']]);
    await database.flush(); // nobody kept the log before
    await database.write([['g', '1']]);
    expect(await read()).toEqual({ kind: 'broken', because: expect.stringContaining('are missing') });
  });

  it('is broken when the database was made anew, or has another MANIFEST, or a file of the base is gone', async () => {
    await database.renewManifest();
    expect(await read()).toMatchObject({ kind: 'broken' });
    await database.beginAnew();
    expect(await read()).toMatchObject({ kind: 'broken' });
    await rm(folder, { recursive: true });
    expect(await read()).toMatchObject({ kind: 'broken' });
  });

  it('is broken when the database has fewer changes than the last reading had', async () => {
    await database.write([['e', '1']]);
    base = { ...(await grown()).base, reached: 1000 };
    expect(await read()).toEqual({ kind: 'broken', because: 'the database has fewer changes than it had' });
  });

  it('has the blobs that the logs name, and no others', async () => {
    const blobs = path.join(database.profileDir, ESSENTIAL_PATHS.indexedDbBlobs, '1/00');
    await mkdir(blobs, { recursive: true });
    for (const [name, text] of [
      ['2', 'a large value'],
      ['3', 'still being written'],
      ['4', 'named by nobody'],
    ] as const)
      await writeFile(path.join(blobs, name), text);
    await database.write([blobEntry('a record', [{ number: 2 }])]);
    await database.write([blobEntry('another', [{ number: 3 }])]);
    await database.write([blobEntry('a third', [{ number: 5 }])]);
    const { files } = await grown();
    expect(files.slice(1)).toEqual([
      {
        path: `${ESSENTIAL_PATHS.indexedDbBlobs}/1/00/2`,
        size: 'a large value'.length,
        source: path.join(blobs, '2'),
      },
    ]);
  });
});

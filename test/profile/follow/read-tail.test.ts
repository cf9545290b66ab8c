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
import { readingMeter } from '../../support/reading-meter.js';
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

  describe('reads again only the last block of what it has read', () => {
    const meter = readingMeter(fs);
    const metered = { ...context, fs: meter.fs };
    const name = () => path.join(folder, database.logName);

    /** Bytes of the log that a reading reads, and the log. */
    async function reads() {
      let reading: TailReading | undefined;
      const bytes = await meter.readBy(/\.log$/, async () => {
        reading = await read(undefined, metered);
      });
      const { size } = await fs.promises.stat(name());
      return { bytes, size, reading };
    }

    async function expectTrue(reading: TailReading | undefined): Promise<void> {
      if (reading?.kind !== 'read') throw new Error(JSON.stringify(reading));
      expect(reading).toEqual(
        await read(undefined, { ...context, fs: { ...fs, promises: { ...fs.promises } } }),
      );
      await expectBytes(reading.files);
    }

    beforeEach(async () => {
      for (let i = 0; i < 3; i++) await database.write([[`long${i}`, 'x'.repeat(40_000)]]);
      const { bytes, size } = await reads();
      expect(bytes).toBe(size);
    });

    it('while it grows, in steps of any length', async () => {
      for (const length of [1, 100, 5000, 32_768, 70_000, 300_000, 1]) {
        const before = (await fs.promises.stat(name())).size;
        await database.write([['e', 'y'.repeat(length)]]);
        const { bytes, size, reading } = await reads();
        expect(bytes).toBeLessThanOrEqual(size - before + 2 * 32_768);
        await expectTrue(reading);
      }
    });

    it('nothing at all while it stays as it is', async () => {
      expect((await reads()).bytes).toBe(0);
    });

    it('but all of it where it is another file, was written anew, or has been touched', async () => {
      const doubts: readonly (() => Promise<unknown>)[] = [
        async () => {
          const bytes = await fs.promises.readFile(name());
          await rm(name());
          await writeFile(name(), bytes);
          await rm(database.pathOf(database.logName));
          await fs.promises.link(name(), database.pathOf(database.logName));
        },
        () => fs.promises.utimes(name(), new Date(), new Date(Date.now() + 60_000)),
        async () => {
          await database.write([['e', '1']]);
          await fs.promises.utimes(name(), new Date(), new Date(Date.now() - 60_000));
        },
      ];
      for (const doubt of doubts) {
        await doubt();
        const { bytes, size, reading } = await reads();
        expect(bytes).toBeGreaterThanOrEqual(size);
        await expectTrue(reading);
      }
    });

    it('but all of it where its last block has other bytes, and finds the damage', async () => {
      const { size } = await fs.promises.stat(name());
      const file = await fs.promises.open(name(), 'r+');
      await file.write(Buffer.from('damaged'), 0, 7, size - 100);
      await file.close();
      await database.write([['e', '1']]);
      const { bytes, reading } = await reads();
      expect(bytes).toBeGreaterThanOrEqual(size);
      expect(reading).toEqual({ kind: 'broken', because: expect.stringContaining('is damaged') });
    });

    it('and after forty readings all of it, and finds damage in its beginning', async () => {
      const { size } = await fs.promises.stat(name());
      const file = await fs.promises.open(name(), 'r+');
      await file.write(Buffer.from('damaged'), 0, 7, 1000);
      await file.close();
      await database.write([['e', '1']]);
      for (let reading = 1; reading <= 40; reading++) {
        const known = await reads();
        expect(known.bytes).toBeLessThan(size);
        expect(known.reading?.kind).toBe('read');
      }
      const { reading } = await reads();
      expect(reading).toEqual({ kind: 'broken', because: expect.stringContaining('is damaged') });
    });

    it('while a save reads everything', async () => {
      await database.write([['e', '1']]);
      await reads();
      const { size } = await fs.promises.stat(name());
      const targetDir = path.join(await temporaryFolder(), 'copy');
      const follow = { folder, roomBytes: 1024 ** 3, base };
      const input = { profileDir: database.profileDir, targetDir, mode: 'hot' as const, follow };
      const bytes = await meter.readBy(/\.log$/, () => captureTask.run(input, metered));
      expect(bytes).toBeGreaterThanOrEqual(2 * size); // the copy is made of it, and is read
    });
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

import fs from 'node:fs';
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { type CheckedCapture, captureTask, liveSignaturesTask } from '../../../src/profile/capture-task.js';
import { keepLogs } from '../../../src/profile/follow/keep-logs.js';
import type { KeptBase } from '../../../src/profile/follow/kept-base.js';
import { checkProfile } from '../../../src/profile/soundness.js';
import type { TaskContext } from '../../../src/task.js';
import { failingFileSystem } from '../../../src/testing/failing-file-system.js';
import { sha256 } from '../../snapshot/support/local-store.js';
import { Dice } from '../../support/dice.js';
import { INDEXED_DB, temporaryFolder } from '../profiles.js';
import { contentsOf, LiveDatabase } from './live-database.js';

const ROOM = 1024 ** 3;
const context: TaskContext = { fs, clock: systemClock };

describe('a copy that follows the logs of an earlier one', () => {
  let database: LiveDatabase;
  let folder: string;

  beforeEach(async () => {
    database = await LiveDatabase.create();
    folder = path.join(await temporaryFolder(), 'kept');
    await fs.promises.mkdir(folder);
  });

  async function take(
    base?: KeptBase,
    options = {},
    roomBytes = ROOM,
    on = context,
  ): Promise<CheckedCapture> {
    const targetDir = path.join(await temporaryFolder(), 'copy');
    const follow = { folder, roomBytes, ...(base && { base }) };
    const input = { profileDir: database.profileDir, targetDir, mode: 'hot' as const, follow, ...options };
    return captureTask.run(input, on);
  }

  /** What the watcher does: every log that is there is kept. */
  const keep = () => keepLogs(fs, { from: path.join(database.profileDir, INDEXED_DB), to: folder });

  async function expectNow({ tree, report }: CheckedCapture): Promise<void> {
    expect(report.verdict).toBe('sound');
    expect(await contentsOf(tree.directory)).toEqual(new Map(database.contents));
    expect(await checkProfile(tree.directory, { fs, depth: 'deep' })).toMatchObject({ verdict: 'sound' });
    for (const file of tree.files) {
      const bytes = await readFile(path.join(tree.directory, file.path));
      expect(file.size).toBe(bytes.length);
      if (file.sha256 !== undefined) expect(file.sha256).toBe(sha256(bytes));
    }
    const listed = tree.files
      .filter(({ path: name }) => name.startsWith(INDEXED_DB))
      .map(({ path: name }) => path.basename(name));
    expect((await readdir(path.join(tree.directory, INDEXED_DB))).sort()).toEqual(listed.sort());
  }

  const tablesOf = ({ tree }: CheckedCapture) =>
    tree.files.map(({ path: name }) => path.basename(name)).filter((name) => name.endsWith('.ldb'));
  const logsOf = ({ tree }: CheckedCapture) =>
    tree.files
      .filter(({ path: name }) => name.startsWith(INDEXED_DB) && name.endsWith('.log'))
      .map(({ path: name }) => path.basename(name));

  it('has the tables of then and all logs since, and holds what the database holds now', async () => {
    const first = await take();
    await expectNow(first);
    const tables = database.tableNames;
    const logs = [database.logName];
    for (let round = 0; round < 3; round++) {
      await database.write([[`k${round}`, 'x'.repeat(3000)], ['a'], ['d', `again ${round}`]]);
      await keep();
      await database.flush();
      logs.push(database.logName);
      await database.write([['b', `${round}`]]);
    }
    await database.compact();
    const second = await take(first.base);
    expect(second.newBaseBecause).toBeUndefined();
    await expectNow(second);
    expect(tablesOf(second)).toEqual(tables);
    expect(logsOf(second)).toEqual(logs);
    expect(database.tableNames).not.toEqual(tables);
  });

  it('is what a later state of the profile is held against, without a false alarm', async () => {
    const first = await take();
    await database.write([['f', 'x'.repeat(3000)]]);
    await keep();
    await database.flush();
    await database.write([['g', '1']]);
    const { tree } = await take(first.base);
    const reference = await Promise.all(
      tree.files.map(async ({ path: name, size }) => {
        return { path: name, size, sha256: sha256(await readFile(path.join(tree.directory, name))) };
      }),
    );
    const check = () => checkProfile(database.profileDir, { fs, depth: 'deep', reference });
    expect(await check()).toMatchObject({ verdict: 'sound', findings: [] });
    await database.flush();
    await database.compact();
    await database.write([['h', '1']]);
    expect(await check()).toMatchObject({ verdict: 'sound', findings: [] });
    await database.beginAnew();
    expect(await check()).toMatchObject({ verdict: 'suspect' });
  });

  it('reads a complete log once', async () => {
    const first = await take();
    await database.write([['b', 'x'.repeat(5000)]]);
    const complete = database.logName;
    await keep();
    await database.flush();
    await database.write([['c', '1']]);
    const second = await take(first.base);
    const watching = failingFileSystem(fs, { operation: 'open', path: complete });
    const third = await take(second.base, {}, ROOM, { ...context, fs: watching });
    await expectNow(third);
    expect(third.newBaseBecause).toBeUndefined();
    expect(watching.matchingCalls).toBe(1); // the names of large values
  });

  it('is a new base when a log was missed', async () => {
    const first = await take();
    await database.flush();
    await database.write([['a'], ['f', '1']]);
    await database.flush(); // nobody kept the log before
    await database.write([['g', '1']]);
    const second = await take(first.base);
    expect(second.newBaseBecause).toContain('are missing');
    await expectNow(second);
    const third = await take(second.base);
    expect(third.newBaseBecause).toBeUndefined();
    await expectNow(third);
  });

  it('is a new base when the last log with changes was missed, and the newest has none yet', async () => {
    const first = await take();
    await keep();
    await database.flush();
    await database.write([['a'], ['f', '1']]);
    await database.flush();
    const second = await take(first.base, { maxAttempts: 2 });
    expect(second.newBaseBecause).toContain('higher sequence number');
    await expectNow(second);
  });

  it('is a new base when the database has got another MANIFEST, or was made anew', async () => {
    const first = await take();
    await database.renewManifest();
    const second = await take(first.base);
    expect(second.newBaseBecause).toContain('opened again or recreated');
    await expectNow(second);
    await database.beginAnew();
    const third = await take(second.base);
    expect(third.newBaseBecause).toContain('opened again or recreated');
    await expectNow(third);
  });

  it('is a new base when the logs have become long', async () => {
    const first = await take();
    await keep();
    const complete = database.logName;
    await database.flush();
    await database.write([['f', '1']]);
    await truncate(path.join(folder, complete), 13 * 1024 * 1024);
    const second = await take(first.base);
    expect(second.newBaseBecause).toContain('long');
    await expectNow(second);
  });

  it.each(['its bytes', 'its end'])('is a new base when a kept log is damaged: %s', async (what) => {
    const first = await take();
    await database.write([['f', 'x'.repeat(100)]]);
    await keep();
    const complete = path.join(folder, database.logName);
    await database.flush();
    await database.write([['f', '1']]);
    const bytes = await readFile(complete);
    if (what === 'its end') await truncate(complete, bytes.length - 5);
    else {
      bytes[bytes.length - 5] = 1;
      await writeFile(complete, bytes);
    }
    const second = await take(first.base);
    expect(second.newBaseBecause).toMatch(/damaged|cut off/);
    await expectNow(second);
  });

  it('is a new base when a table of the base is damaged', async () => {
    const first = await take();
    const table = path.join(folder, database.tableNames[0] ?? '');
    await database.write([['z', '1']]);
    await database.flush();
    await database.compact();
    await database.write([['y', '1']]);
    const bytes = await readFile(table);
    bytes[10] = (bytes[10] ?? 0) ^ 1;
    await writeFile(table, bytes);
    await keep();
    const second = await take(first.base);
    expect(second.newBaseBecause).toBeDefined();
    await expectNow(second);
  });

  it('keeps no base where hard links are refused, where room is short, or where no folder is left', async () => {
    const refusing = failingFileSystem(fs, {
      operation: 'link',
      errno: 'EPERM',
      failOn: 1,
      times: Number.POSITIVE_INFINITY,
    });
    expect((await take(undefined, {}, ROOM, { ...context, fs: refusing })).base).toBeUndefined();
    expect((await take(undefined, {}, 1000)).base).toBeUndefined();
    await rm(folder, { recursive: true });
    const without = await take();
    expect(without.base).toBeUndefined();
    await expectNow(without);
    expect(fs.existsSync(folder)).toBe(false);
  });

  it('goes on without a base whose folder is gone', async () => {
    const first = await take();
    await rm(folder, { recursive: true });
    const second = await take(first.base);
    await expectNow(second);
    expect(second.newBaseBecause).toBeDefined();
    expect(second.base).toBeUndefined();
  });

  it('tells a change from what LevelDB only rewrites', async () => {
    const first = await take();
    const { profileDir } = database;
    const look = (base: KeptBase) => liveSignaturesTask.run({ profileDir, base }, context);
    const formOf = ({ tree }: CheckedCapture) =>
      tree.files.map(({ path: name, size, source }) => ({ name, size, source }));
    const seen = async (base: KeptBase) =>
      (await look(base)).map(({ path: name, size, source }) => ({ name, size, source }));
    if (first.base === undefined) throw new Error('no base');
    expect(await seen(first.base)).toEqual(formOf(first));
    await database.write([['h', '1']]);
    await keep();
    await database.flush();
    await database.write([['i', '1']]);
    expect(await look(first.base)).toEqual([]); // a log that is not kept yet
    const second = await take(first.base);
    if (second.base === undefined) throw new Error('no base');
    expect(await seen(second.base)).toEqual(formOf(second));
    await database.compact();
    expect(await seen(second.base)).toEqual(formOf(second));
    await database.write([['i', '2']]);
    expect(await seen(second.base)).not.toEqual(formOf(second));
    await database.renewManifest();
    expect(await look(second.base)).toEqual([]);
  });

  it.each([1, 2, 3, 4])(
    'holds what the database holds, whatever happens and is missed (seed %i)',
    async (seed) => {
      const dice = new Dice(seed);
      let base: KeptBase | undefined;
      let followed = 0;
      for (let step = 0; step < 70; step++) {
        const what = dice.below(20);
        if (what < 9) {
          const key = String.fromCharCode(97 + dice.below(8));
          await database.write(
            dice.below(4) === 0 ? [[key]] : [[key, `${step}`.repeat(1 + dice.below(900))]],
          );
        } else if (what < 12) await database.flush();
        else if (what < 13) await database.compact();
        else if (what < 17) await keep();
        else if (what < 19) {
          const taken = await take(base, { maxAttempts: 2 });
          await expectNow(taken);
          if (base !== undefined && taken.newBaseBecause === undefined) followed++;
          base = taken.base;
        } else if (dice.below(8) === 0)
          await dice.pick([() => database.renewManifest(), () => database.beginAnew()])();
      }
      expect(followed).toBeGreaterThan(0);
    },
  );
});

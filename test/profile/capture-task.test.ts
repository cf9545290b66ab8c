import fs from 'node:fs';
import { appendFile, readFile, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { captureTask, liveSignaturesTask } from '../../src/profile/capture-task.js';
import { ESSENTIAL_PATHS } from '../../src/profile/essential-files.js';
import { checkProfile, examineProfileTask } from '../../src/profile/soundness.js';
import { failingFileSystem } from '../../src/testing/failing-file-system.js';
import { sha256 } from '../snapshot/support/local-store.js';
import { INDEXED_DB, makeProfile, temporaryFolder, writeTree } from './profiles.js';

const context = { fs, clock: systemClock };
const TABLE = `${INDEXED_DB}/000005.ldb`;

async function take(profileDir: string, options = {}) {
  const targetDir = path.join(await temporaryFolder(), 'copy');
  return captureTask.run({ profileDir, targetDir, mode: 'hot' as const, ...options }, context);
}

/** A bit of the table inverted in place, as a disk does it: neither size nor time tell. */
async function rot(file: string): Promise<void> {
  const { atime, mtime } = await fs.promises.stat(file);
  const bytes = await readFile(file);
  bytes[10] = (bytes[10] ?? 0) ^ 1;
  await writeFile(file, bytes);
  await utimes(file, atime, mtime);
}

describe('a capture that is checked at once', () => {
  it('brings the hashes of its tables along, from the reading that checked them', async () => {
    const profileDir = await makeProfile();
    const { tree, report, soundTables } = await take(profileDir);
    expect(report.verdict).toBe('sound');
    const hashed = tree.files.filter((file) => file.sha256 !== undefined);
    expect(hashed.map((file) => file.path)).toContain(TABLE);
    for (const file of hashed) {
      expect(file.sha256).toBe(sha256(await readFile(path.join(profileDir, file.path))));
      expect(soundTables.get(file.path)).toEqual({ signature: file.source, sha256: file.sha256 });
    }
    expect(tree.files.filter(({ path: name }) => name.endsWith('.log')).every((file) => !file.sha256)).toBe(
      true,
    );
  });

  it('finds a table that is damaged, and does not call it sound', async () => {
    const profileDir = await makeProfile();
    await rot(path.join(profileDir, TABLE));
    const { tree, report, soundTables } = await take(profileDir);
    expect(report.verdict).toBe('corrupt');
    expect(soundTables.has(TABLE)).toBe(false);
    expect(tree.files.find((file) => file.path === TABLE)?.sha256).toBeUndefined();
  });

  it('does not read a table again that was sound and has not changed, and names its hash', async () => {
    const profileDir = await makeProfile();
    const { soundTables } = await take(profileDir);
    const watching = failingFileSystem(fs, { operation: 'handle.read', path: TABLE });
    const targetDir = path.join(await temporaryFolder(), 'copy');
    const input = { profileDir, targetDir, mode: 'hot' as const, soundTables };
    const again = await captureTask.run(input, { ...context, fs: watching });
    expect(again.soundTables).toEqual(soundTables);
    expect(again.tree.files.find((file) => file.path === TABLE)?.sha256).toBe(soundTables.get(TABLE)?.sha256);
    const perLook = watching.matchingCalls;
    const fresh = failingFileSystem(fs, { operation: 'handle.read', path: TABLE });
    const other = path.join(await temporaryFolder(), 'copy');
    await captureTask.run({ profileDir, targetDir: other, mode: 'hot' }, { ...context, fs: fresh });
    expect(fresh.matchingCalls).toBeGreaterThan(perLook);
  });

  it('takes over what a start has checked', async () => {
    const profileDir = await makeProfile();
    const { report, soundTables } = await examineProfileTask.run({ profileDir, depth: 'deep' }, context);
    expect(report).toEqual(await checkProfile(profileDir, { fs, depth: 'deep' }));
    expect(soundTables).toEqual((await take(profileDir)).soundTables);
    expect((await examineProfileTask.run({ profileDir, depth: 'quick' }, context)).soundTables.size).toBe(0);
  });

  it('is not called sound when it was aborted', async () => {
    const profileDir = await makeProfile();
    const abort = new AbortController();
    const aborting = failingFileSystem(fs);
    const open = aborting.promises.open.bind(aborting.promises);
    const slow = {
      ...aborting,
      promises: {
        ...aborting.promises,
        open: async (...given: Parameters<typeof open>) => {
          if (String(given[0]).endsWith('000005.ldb')) abort.abort(new Error('stopping'));
          return open(...given);
        },
      },
    };
    const work = examineProfileTask.run(
      { profileDir, depth: 'deep' },
      { ...context, fs: slow, signal: abort.signal },
    );
    await expect(work).rejects.toThrow('stopping');
  });
});

describe('the signatures of a live profile', () => {
  const look = (profileDir: string) => liveSignaturesTask.run({ profileDir }, context);

  it('are those that a capture names', async () => {
    const profileDir = await makeProfile();
    const { tree } = await take(profileDir);
    const captured = tree.files.map(({ path: name, size, source }) => ({ path: name, size, source }));
    expect(await look(profileDir)).toEqual(captured);
  });

  it('tell a log that grew', async () => {
    const profileDir = await makeProfile();
    const before = await look(profileDir);
    const log = before.find((file) => file.path.endsWith('.log'))?.path ?? '';
    await appendFile(path.join(profileDir, log), 'x');
    expect(await look(profileDir)).not.toEqual(before);
  });

  it('tell nothing where SQLite writes over what is there', async () => {
    const profileDir = await makeProfile();
    await writeTree(profileDir, { [`${ESSENTIAL_PATHS.localStorageSqlite}`]: 'SQLite format 3' });
    expect(await look(profileDir)).toEqual([]);
  });

  it('are none without a profile', async () => {
    expect(await look(path.join(await temporaryFolder(), 'none'))).toEqual([]);
  });
});

import fs from 'node:fs';
import { readdir, readFile, rename, rm, stat, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/clock.js';
import { ProfileUnsoundError } from '../../src/errors.js';
import type { FileSystem } from '../../src/file-system.js';
import { captureProfile } from '../../src/profile/capture.js';
import { listEssentialFiles } from '../../src/profile/essential-files.js';
import { readDatabase } from '../../src/profile/leveldb/database.js';
import { readLog } from '../../src/profile/leveldb/log-reader.js';
import { checkProfile } from '../../src/profile/soundness.js';
import { blobEntry, blobEntryKey } from './indexed-db-writer.js';
import { writeBatch, writeEdit, writeLog, writeTable } from './leveldb-writer.js';
import {
  BLOBS,
  flushedLocalStorageFiles,
  INDEXED_DB,
  indexedDbFiles,
  LOCAL_STORAGE,
  loggedInFiles,
  makeProfile,
  newDatabaseEdit,
  SQLITE_DB,
  sqliteFile,
  sqliteProfileFiles,
  temporaryFolder,
  writeTree,
} from './profiles.js';

const waits: number[] = [];
/** A clock on which every wait is over at once; it is a minute and more after any file was written. */
const hurried: Clock = {
  now: () => Date.now() + 120_000,
  monotonic: () => 0,
  setTimeout: (callback, delayMs) => {
    waits.push(delayMs);
    queueMicrotask(callback);
  },
  clearTimeout: () => undefined,
};

async function capture(profileDir: string, options: Partial<Parameters<typeof captureProfile>[0]> = {}) {
  const targetDir = path.join(await temporaryFolder(), 'staged');
  return captureProfile({ profileDir, targetDir, fs, clock: hurried, mode: 'hot', ...options });
}

type Call = (name: string, ...paths: string[]) => void | Promise<void>;

/** The real file system, telling `before` of every call by name and path; what it throws, the call throws. */
function hooked(before: Call, after: Call = () => undefined): FileSystem {
  const promises = Object.fromEntries(
    Object.entries(fs.promises).map(([name, method]) => {
      if (typeof method !== 'function') return [name, method];
      const call = method as (...args: unknown[]) => Promise<unknown>;
      return [
        name,
        async (...args: unknown[]) => {
          const paths = args.filter((arg): arg is string => typeof arg === 'string');
          await before(name, ...paths);
          const result = await call(...args);
          await after(name, ...paths);
          return result;
        },
      ];
    }),
  ) as unknown as FileSystem['promises'];
  return { ...fs, promises };
}

const failure = (code: string) => Object.assign(new Error(code), { code });

/** Calls `action` once, before the first call that `matches`. */
function once(matches: (name: string, file: string) => boolean, action: () => Promise<unknown>): Call {
  let isDone = false;
  return async (name, file = '') => {
    if (isDone || !matches(name, file)) return;
    isDone = true;
    await action();
  };
}

describe('a capture of a profile at rest', () => {
  it('has every essential file the login needs, and nothing else', async () => {
    const profileDir = await makeProfile();
    await writeTree(profileDir, {
      [`${INDEXED_DB}/000002.log`]: 'obsolete',
      [`${INDEXED_DB}/000009.ldb`]: 'orphan',
    });
    const tree = await capture(profileDir);
    const paths = tree.files.map((file) => file.path);
    expect(paths).toEqual(
      [
        `${BLOBS}/1/00/2`,
        ...['000005.ldb', '000006.log', '000007.ldb', 'CURRENT', 'MANIFEST-000001'].map(
          (n) => `${INDEXED_DB}/${n}`,
        ),
        ...['000003.log', 'CURRENT', 'MANIFEST-000001'].map((n) => `${LOCAL_STORAGE}/${n}`),
      ].sort(),
    );
    expect((await listEssentialFiles(tree.directory, { fs })).map((file) => file.path)).toEqual(paths);
    expect(tree.attempts).toBe(1);
    expect((await checkProfile(tree.directory, { fs, depth: 'deep' })).verdict).toBe('sound');
  });

  it('links tables and old blobs, and copies all that is appended to in place', async () => {
    const profileDir = await makeProfile();
    const tree = await capture(profileDir);
    const isLinked = async (file: string) =>
      (await stat(path.join(profileDir, file))).ino === (await stat(path.join(tree.directory, file))).ino;
    const linked: string[] = [];
    for (const file of tree.files) if (await isLinked(file.path)) linked.push(file.path);
    expect(linked).toEqual([`${BLOBS}/1/00/2`, `${INDEXED_DB}/000005.ldb`, `${INDEXED_DB}/000007.ldb`]);
  });

  it('copies a blob that is younger than a minute, for it may still grow', async () => {
    const profileDir = await makeProfile();
    const tree = await capture(profileDir, { clock: { ...hurried, now: () => Date.now() } });
    const [live, copy] = [profileDir, tree.directory].map((root) =>
      fs.statSync(path.join(root, BLOBS, '1/00/2')),
    );
    expect(copy?.ino).not.toBe(live?.ino);
  });

  it('copies where the file system has no links', async () => {
    const profileDir = await makeProfile();
    const noLinks = hooked((name) => {
      if (name === 'link') throw failure('EXDEV');
    });
    const tree = await capture(profileDir, { fs: noLinks });
    expect((await stat(path.join(tree.directory, INDEXED_DB, '000005.ldb'))).nlink).toBe(1);
    expect((await checkProfile(tree.directory, { fs, depth: 'deep' })).verdict).toBe('sound');
  });

  it('says what the live files were: size, time in nanoseconds, inode', async () => {
    const profileDir = await makeProfile();
    const tree = await capture(profileDir);
    for (const file of tree.files) {
      const live = await stat(path.join(profileDir, file.path), { bigint: true });
      expect(file.source).toEqual({
        size: Number(live.size),
        mtimeNs: String(live.mtimeNs),
        inode: String(live.ino),
      });
      expect(file.size).toBe((await stat(path.join(tree.directory, file.path))).size);
    }
  });

  it('is private: folders 0700, copies 0600', async () => {
    const profileDir = await makeProfile();
    const tree = await capture(profileDir);
    const mode = async (file: string) => (await stat(path.join(tree.directory, file))).mode & 0o777;
    for (const folder of ['', 'Default', 'Default/IndexedDB', INDEXED_DB, BLOBS, LOCAL_STORAGE]) {
      expect(await mode(folder)).toBe(0o700);
    }
    for (const file of ['CURRENT', 'MANIFEST-000001', '000006.log'])
      expect(await mode(`${INDEXED_DB}/${file}`)).toBe(0o600);
  });

  it('does not follow a link out of the profile', async () => {
    const profileDir = await makeProfile();
    await symlink('/etc/hostname', path.join(profileDir, BLOBS, '1/00/3'));
    const tree = await capture(profileDir);
    expect(tree.files.map((file) => file.path)).not.toContain(`${BLOBS}/1/00/3`);
  });

  it('takes the SQLite layout: each database with its -wal', async () => {
    const tree = await capture(await makeProfile({ ...sqliteProfileFiles(), [`${SQLITE_DB}-shm`]: 'index' }));
    expect(tree.files.map((file) => file.path)).toEqual([
      SQLITE_DB,
      `${SQLITE_DB}-wal`,
      'Default/LocalStorage',
    ]);
    expect((await checkProfile(tree.directory, { fs, depth: 'deep' })).verdict).toBe('sound');
  });
});

describe('a capture that can not be whole', () => {
  it.each<[string, (profileDir: string) => Promise<unknown>, RegExp]>([
    ['IndexedDB is missing', (dir) => rm(path.join(dir, INDEXED_DB), { recursive: true }), /no IndexedDB/],
    [
      'Local Storage is missing',
      (dir) => rm(path.join(dir, LOCAL_STORAGE), { recursive: true }),
      /no Local Storage/,
    ],
    [
      'a table is missing',
      (dir) => unlink(path.join(dir, INDEXED_DB, '000005.ldb')),
      /000005\.ldb: the table is missing/,
    ],
    [
      'a table is short',
      (dir) => fs.promises.truncate(path.join(dir, INDEXED_DB, '000005.ldb'), 50),
      /000005\.ldb is \d+ bytes short/,
    ],
    [
      'the log is missing',
      (dir) => unlink(path.join(dir, INDEXED_DB, '000006.log')),
      /000006\.log: the log is missing/,
    ],
    ['CURRENT is missing', (dir) => unlink(path.join(dir, LOCAL_STORAGE, 'CURRENT')), /CURRENT is missing/],
    [
      'CURRENT is garbage',
      (dir) => writeFile(path.join(dir, INDEXED_DB, 'CURRENT'), 'x'),
      /does not name a MANIFEST/,
    ],
    [
      'a log is zeroed inside',
      async (dir) => {
        const log = path.join(dir, INDEXED_DB, '000006.log');
        await writeFile(log, (await readFile(log)).fill(0, 9000, 9100));
      },
      /log is damaged/,
    ],
    [
      'a table has no footer',
      async (dir) => {
        const table = path.join(dir, INDEXED_DB, '000005.ldb');
        const bytes = await readFile(table);
        await writeFile(table, bytes.fill(0, bytes.length - 10));
      },
      /end is not that of a table/,
    ],
  ])('is refused, and leaves nothing behind: %s', async (_, damage, message) => {
    const profileDir = await makeProfile();
    await damage(profileDir);
    const targetDir = path.join(await temporaryFolder(), 'staged');
    const attempt = capture(profileDir, { targetDir, mode: 'cold' });
    await expect(attempt).rejects.toBeInstanceOf(ProfileUnsoundError);
    await expect(attempt).rejects.toThrow(message);
    expect(fs.existsSync(targetDir)).toBe(false);
  });

  it('is refused for a damaged SQLite database', async () => {
    const profileDir = await makeProfile({
      ...sqliteProfileFiles(),
      'Default/LocalStorage': 'x'.repeat(500),
    });
    await expect(capture(profileDir)).rejects.toThrow(/not a SQLite database/);
  });

  it('passes a full disk on as it is, and removes what was copied', async () => {
    const targetDir = path.join(await temporaryFolder(), 'staged');
    const full = hooked((name, file) => {
      if (name === 'open' && file?.endsWith('staged/Default/Local Storage/leveldb/000003.log'))
        throw failure('ENOSPC');
    });
    await expect(capture(await makeProfile(), { targetDir, fs: full })).rejects.toMatchObject({
      code: 'ENOSPC',
    });
    expect(fs.existsSync(targetDir)).toBe(false);
  });

  it('refuses a folder that holds something, and leaves that alone', async () => {
    const targetDir = await makeProfile({ 'precious.txt': 'mine' });
    await expect(capture(await makeProfile(), { targetDir })).rejects.toThrow(/empty folder/);
    expect(fs.existsSync(path.join(targetDir, 'precious.txt'))).toBe(true);
  });

  it('stops when it is aborted, also while it waits for another attempt', async () => {
    const profileDir = await makeProfile();
    const early = capture(profileDir, { signal: AbortSignal.abort(new Error('enough')) });
    await expect(early).rejects.toThrow('enough');
    await unlink(path.join(profileDir, INDEXED_DB, '000005.ldb'));
    const controller = new AbortController();
    const clock: Clock = {
      ...hurried,
      setTimeout: () => queueMicrotask(() => controller.abort(new Error('stop waiting'))),
    };
    await expect(capture(profileDir, { clock, signal: controller.signal })).rejects.toThrow('stop waiting');
  });

  it('pauses longer and longer, and gives up after the given attempts', async () => {
    const profileDir = await makeProfile();
    await unlink(path.join(profileDir, INDEXED_DB, '000005.ldb'));
    waits.length = 0;
    await expect(capture(profileDir, { maxAttempts: 8 })).rejects.toThrow(/after 8 attempts/);
    expect(waits).toEqual([10, 20, 40, 80, 160, 250, 250]);
  });
});

describe('a capture while the browser writes', () => {
  /** A compaction as LevelDB does it: new table, MANIFEST, then the old tables go. */
  async function compact(profileDir: string): Promise<void> {
    const folder = path.join(profileDir, INDEXED_DB);
    const merged = writeTable([
      ['a', '1'],
      ['e', '5'],
    ]);
    await writeFile(path.join(folder, '000010.ldb'), merged);
    await appendEdit(folder, {
      nextFileNumber: 11,
      deleted: [5, 7],
      added: [{ number: 10, size: merged.length }],
    });
    await unlink(path.join(folder, '000005.ldb'));
    await unlink(path.join(folder, '000007.ldb'));
  }

  /** A flush as LevelDB does it: new log, new table, MANIFEST, then the old log goes. */
  async function flush(profileDir: string): Promise<void> {
    const folder = path.join(profileDir, INDEXED_DB);
    const table = writeTable([
      ['key0', '0'],
      ['key1', '1'],
    ]);
    await writeFile(path.join(folder, '000011.log'), writeLog([writeBatch([['late', 'x']], 33)]));
    await writeFile(path.join(folder, '000012.ldb'), table);
    await appendEdit(folder, {
      logNumber: 11,
      nextFileNumber: 13,
      lastSequence: 33,
      added: [{ number: 12, size: table.length }],
    });
    await unlink(path.join(folder, '000006.log'));
  }

  async function appendEdit(folder: string, edit: Parameters<typeof writeEdit>[0]): Promise<void> {
    // Small enough to stay in the first block, where a record may be appended as it is.
    await fs.promises.appendFile(path.join(folder, 'MANIFEST-000001'), writeLog([writeEdit(edit)]));
  }

  const inTarget = (file: string) => file.includes('/staged/');
  const live = (call: string, ending: string) => (name: string, file: string) =>
    name === call && !inTarget(file) && file.endsWith(ending);

  it('starts again when a compaction deletes a table that is not taken yet', async () => {
    const profileDir = await makeProfile();
    const racing = hooked(once(live('link', `${INDEXED_DB}/000007.ldb`), () => compact(profileDir)));
    const tree = await capture(profileDir, { fs: racing });
    expect(tree.attempts).toBe(2);
    expect(tree.files.map((f) => f.path).filter((f) => f.endsWith('.ldb'))).toEqual([
      `${INDEXED_DB}/000010.ldb`,
    ]);
    expect((await readdir(path.join(tree.directory, INDEXED_DB))).sort()).toEqual(
      ['000006.log', '000010.ldb', 'CURRENT', 'MANIFEST-000001'].sort(),
    );
    expect((await checkProfile(tree.directory, { fs, depth: 'deep' })).verdict).toBe('sound');
  });

  it('starts again when a flush turns the log into a table', async () => {
    const profileDir = await makeProfile();
    const racing = hooked(once(live('link', `${INDEXED_DB}/000005.ldb`), () => flush(profileDir)));
    const tree = await capture(profileDir, { fs: racing });
    expect(tree.attempts).toBe(2);
    expect(tree.files.map((f) => f.path)).toContain(`${INDEXED_DB}/000012.ldb`);
    expect((await checkProfile(tree.directory, { fs, depth: 'deep' })).verdict).toBe('sound');
  });

  it('starts again when the first log of a new database becomes a table, though no MANIFEST named it', async () => {
    const profileDir = await makeProfile();
    const folder = path.join(profileDir, LOCAL_STORAGE);
    const racing = hooked(
      once(live('open', `${LOCAL_STORAGE}/MANIFEST-000001`), async () => {
        await unlink(path.join(folder, '000003.log'));
        await writeTree(profileDir, flushedLocalStorageFiles());
      }),
    );
    const tree = await capture(profileDir, { fs: racing });
    expect(tree.attempts).toBe(2);
    expect((await checkProfile(tree.directory, { fs, depth: 'deep' })).verdict).toBe('sound');
  });

  it('notices that the first log of a new database is flushed, though neither CURRENT nor the MANIFEST it has tell', async () => {
    const profileDir = await makeProfile();
    const folder = path.join(profileDir, LOCAL_STORAGE);
    const flushed = flushedLocalStorageFiles();
    const flushFirstLog = async () => {
      const { [`${LOCAL_STORAGE}/CURRENT`]: _, [`${LOCAL_STORAGE}/MANIFEST-000004`]: __, ...files } = flushed;
      await writeTree(profileDir, files);
      const size = (await stat(path.join(folder, '000005.ldb'))).size;
      await appendEdit(folder, { logNumber: 6, nextFileNumber: 7, added: [{ number: 5, size }] });
      await unlink(path.join(folder, '000003.log'));
    };
    const afterCopy = hooked(
      once(
        (name, file) => name === 'readFile' && file.endsWith(`${LOCAL_STORAGE}/MANIFEST-000001`),
        flushFirstLog,
      ),
    );
    const tree = await capture(profileDir, { fs: afterCopy });
    expect(tree.attempts).toBe(2);
    expect(tree.files.map((f) => f.path)).toContain(`${LOCAL_STORAGE}/000005.ldb`);
  });

  it('does not start again because the MANIFEST or the log grew', async () => {
    const profileDir = await makeProfile();
    const folder = path.join(profileDir, INDEXED_DB);
    const grow = async () => {
      await appendEdit(folder, { nextFileNumber: 20 });
      const record = writeLog([writeBatch([['late', 'x'.repeat(90)]])]);
      await fs.promises.appendFile(path.join(folder, '000006.log'), record.subarray(0, 50));
    };
    const tree = await capture(profileDir, { fs: hooked(once(live('link', '000007.ldb'), grow)) });
    expect(tree.attempts).toBe(1);
    expect((await checkProfile(tree.directory, { fs, depth: 'deep' })).verdict).toBe('sound');
  });

  it('leaves out a log that is begun after the last one was copied, so that no record in between is missing', async () => {
    const profileDir = await makeProfile();
    const folder = path.join(profileDir, INDEXED_DB);
    const rotate = async () => {
      await fs.promises.appendFile(
        path.join(folder, '000006.log'),
        writeLog([writeBatch([['between', '1']])]).subarray(0, 9),
      );
      await writeFile(path.join(folder, '000008.log'), writeLog([writeBatch([['after', '1']])]));
    };
    const isLog = (name: string, file: string) =>
      name === 'open' && !inTarget(file) && file.endsWith('000006.log');
    const tree = await capture(profileDir, { fs: hooked(() => undefined, once(isLog, rotate)) });
    const logs = tree.files.map((f) => f.path).filter((f) => f.startsWith(INDEXED_DB) && f.endsWith('.log'));
    expect(logs).toEqual([`${INDEXED_DB}/000006.log`]);
  });

  it('takes both logs when the new one is there before', async () => {
    const profileDir = await makeProfile();
    await writeTree(profileDir, { [`${INDEXED_DB}/000008.log`]: writeLog([writeBatch([['after', '1']])]) });
    const tree = await capture(profileDir);
    const logs = tree.files.map((f) => f.path).filter((f) => f.startsWith(INDEXED_DB) && f.endsWith('.log'));
    expect(logs).toEqual([`${INDEXED_DB}/000006.log`, `${INDEXED_DB}/000008.log`]);
  });

  it('starts again when CURRENT is replaced', async () => {
    const profileDir = await makeProfile();
    const folder = path.join(profileDir, INDEXED_DB);
    const rotate = async () => {
      await fs.promises.copyFile(path.join(folder, 'MANIFEST-000001'), path.join(folder, 'MANIFEST-000013'));
      await writeFile(path.join(folder, '000013.dbtmp'), 'MANIFEST-000013\n');
      await rename(path.join(folder, '000013.dbtmp'), path.join(folder, 'CURRENT'));
    };
    const tree = await capture(profileDir, {
      fs: hooked(once(live('open', `${INDEXED_DB}/000006.log`), rotate)),
    });
    expect(tree.attempts).toBe(2);
    expect((await readDatabase(fs, path.join(tree.directory, INDEXED_DB))).manifest).toBe('MANIFEST-000013');
  });

  it.each(['EBUSY', 'EPERM'])('waits for a lock of Windows to go (%s)', async (code) => {
    let left = 3;
    const locked = hooked((name, file = '') => {
      if (live('open', `${INDEXED_DB}/CURRENT`)(name, file) && left-- > 0) throw failure(code);
    });
    expect((await capture(await makeProfile(), { fs: locked })).attempts).toBe(4);
    left = 1e9;
    await expect(capture(await makeProfile(), { fs: locked })).rejects.toMatchObject({ code });
  });

  it('does not take the tables again that it has already', async () => {
    const profileDir = await makeProfile();
    let links = 0;
    let left = 2;
    const busy = hooked((name, file = '') => {
      if (name === 'link' && file.endsWith('.ldb')) links++;
      if (live('open', `${INDEXED_DB}/000006.log`)(name, file) && left-- > 0) throw failure('EBUSY');
    });
    expect((await capture(profileDir, { fs: busy })).attempts).toBe(3);
    expect(links).toBe(2);
  });

  it('has the blob of every record it has, though blobs come and go meanwhile', async () => {
    const profileDir = await makeProfile();
    const blobs = path.join(profileDir, BLOBS, '1/00');
    // Before the log is copied a new blob and its record come, and a record of blob 2 is still there; then 2 goes.
    const add = async () => {
      await writeFile(path.join(blobs, '3'), 'a new blob');
      const record = writeBatch([blobEntry('another record', [{ number: 3 }])], 33);
      await fs.promises.appendFile(path.join(profileDir, INDEXED_DB, '000006.log'), writeLog([record]));
      await unlink(path.join(blobs, '2'));
    };
    const tree = await capture(profileDir, {
      fs: hooked(once(live('open', `${INDEXED_DB}/000006.log`), add)),
    });
    expect(tree.files.map((f) => f.path).filter((f) => f.startsWith(BLOBS))).toEqual([
      `${BLOBS}/1/00/2`,
      `${BLOBS}/1/00/3`,
    ]);
    expect(await readFile(path.join(tree.directory, BLOBS, '1/00/3'), 'utf8')).toBe('a new blob');
  });

  it('takes a blob again that has grown, and does without one that vanishes', async () => {
    const profileDir = await makeProfile();
    const blobs = path.join(profileDir, BLOBS, '1/00');
    await writeFile(path.join(blobs, '3'), 'gone soon');
    const grow = () => fs.promises.appendFile(path.join(blobs, '2'), ', and more');
    const growOnce = once(live('open', `${INDEXED_DB}/000006.log`), grow);
    let looks = 0;
    const racing = hooked(async (name, file = '') => {
      await growOnce(name, file);
      if (name !== 'lstat' || inTarget(file) || !file.endsWith('1/00/3')) return;
      // Listed, and gone when its signature is read.
      if (++looks === 2) await rm(file);
    });
    const clock: Clock = { ...hurried, now: () => Date.now() };
    const tree = await capture(profileDir, { fs: racing, clock });
    expect(await readFile(path.join(tree.directory, BLOBS, '1/00/2'), 'utf8')).toBe(
      'a large value, and more',
    );
    for (const file of tree.files)
      expect(fs.statSync(path.join(tree.directory, file.path)).size).toBe(file.size);
  });

  it.each([
    ['one that is still being written: no record names it yet', ['2', '3'], 'now', ['2']],
    ['none that is older: a handle of the page may hold it', ['2', '3'], 'later', ['2', '3']],
    ['the only one, while it is being written', ['3'], 'now', []],
  ])('leaves out %s', async (_, there, when, taken) => {
    const profileDir = await makeProfile();
    const blobs = path.join(profileDir, BLOBS, '1/00');
    await rm(path.join(blobs, '2'));
    for (const name of there) await writeFile(path.join(blobs, name), 'a large value');
    const clock: Clock = when === 'now' ? { ...hurried, now: () => Date.now() } : hurried;
    const tree = await capture(profileDir, { clock });
    expect(tree.files.map((f) => f.path).filter((f) => f.startsWith(BLOBS))).toEqual(
      taken.map((name) => `${BLOBS}/1/00/${name}`),
    );
    expect((await listEssentialFiles(tree.directory, { fs })).map((f) => f.path)).toEqual(
      tree.files.map((f) => f.path),
    );
  });

  it("keeps them all where it can't make out the names, or finds none of an old one", async () => {
    const profileDir = await makeProfile();
    const blobs = path.join(profileDir, BLOBS, '1/00');
    await rename(path.join(blobs, '2'), path.join(blobs, '4')); // nothing names it
    await utimes(path.join(blobs, '4'), 1000, 1000);
    await writeFile(path.join(blobs, '3'), 'a young one');
    const clock: Clock = { ...hurried, now: () => Date.now() };
    const blobsOf = async () =>
      (await capture(profileDir, { clock })).files.map((f) => f.path).filter((f) => f.startsWith(BLOBS));
    expect(await blobsOf()).toEqual([`${BLOBS}/1/00/3`, `${BLOBS}/1/00/4`]);
    await rm(path.join(blobs, '4'));
    expect(await blobsOf()).toEqual([]);
    const unknown = writeBatch([[blobEntryKey('another record'), '\x09?']], 33);
    await fs.promises.appendFile(path.join(profileDir, INDEXED_DB, '000006.log'), writeLog([unknown]));
    expect(await blobsOf()).toEqual([`${BLOBS}/1/00/3`]);
  });

  it('keeps a young one whose record has just gone: the deletion may not be meant for good', async () => {
    const profileDir = await makeProfile();
    const [key] = blobEntry('a record', []);
    await fs.promises.appendFile(
      path.join(profileDir, INDEXED_DB, '000006.log'),
      writeLog([writeBatch([[key]], 33)]),
    );
    const tree = await capture(profileDir, { clock: { ...hurried, now: () => Date.now() } });
    expect(tree.files.map((file) => file.path)).toContain(`${BLOBS}/1/00/2`);
    expect(tree.missingBlobs).toEqual([]);
  });

  it('leaves out one that was still growing, though its file system says that it is old', async () => {
    const profileDir = await makeProfile();
    const growing = path.join(profileDir, BLOBS, '1/00/3');
    await writeFile(growing, 'a large');
    const grow = () => fs.promises.appendFile(growing, ' value');
    const tree = await capture(profileDir, {
      fs: hooked(once(live('open', `${INDEXED_DB}/000006.log`), grow)),
    });
    expect(tree.files.map((file) => file.path)).not.toContain(`${BLOBS}/1/00/3`);
  });

  it('tries once more for a blob that is named and was deleted with its record meanwhile', async () => {
    const profileDir = await makeProfile();
    const log = path.join(profileDir, INDEXED_DB, '000006.log');
    await fs.promises.appendFile(
      log,
      writeLog([writeBatch([blobEntry('another record', [{ number: 3 }])], 33)]),
    );
    const [key] = blobEntry('another record', []);
    const forget = () => fs.promises.appendFile(log, writeLog([writeBatch([[key]], 34)]));
    const tree = await capture(profileDir, {
      fs: hooked(
        () => undefined,
        once((name, file = '') => name === 'open' && inTarget(file) && file.endsWith('000006.log'), forget),
      ),
    });
    expect(tree.attempts).toBe(2);
    expect(tree.missingBlobs).toEqual([]);
  });

  it('tells of a blob that is named and gone, and is taken all the same', async () => {
    const profileDir = await makeProfile();
    await unlink(path.join(profileDir, BLOBS, '1/00/2'));
    const tree = await capture(profileDir);
    expect(tree.missingBlobs).toEqual([{ path: `${BLOBS}/1/00/2`, size: 13 }]);
    expect(tree.attempts).toBe(2);
  });

  it('keeps a blob it has taken when that vanishes under the second look', async () => {
    const profileDir = await makeProfile();
    let looks = 0;
    const racing = hooked(async (name, file = '') => {
      if (name !== 'lstat' || inTarget(file) || !file.endsWith('1/00/2')) return;
      // Three looks to take it, two more to see that it is unchanged.
      if (++looks === 5) await rm(file);
    });
    const tree = await capture(profileDir, { fs: racing });
    expect(looks).toBe(5);
    expect(await readFile(path.join(tree.directory, BLOBS, '1/00/2'), 'utf8')).toBe('a large value');
  });

  it('is whole whenever any of this happens (every call of a capture is raced once)', async () => {
    let calls = 0;
    const profile = await makeProfile();
    await capture(profile, { fs: hooked(() => void calls++) });
    expect(calls).toBeGreaterThan(50);
    for (let raced = 1; raced <= calls; raced += 2) {
      const profileDir = await makeProfile({ ...loggedInFiles() });
      let call = 0;
      const racing = hooked(async () => {
        if (++call !== raced) return;
        await compact(profileDir);
        await flush(profileDir);
      });
      const tree = await capture(profileDir, { fs: racing });
      const report = await checkProfile(tree.directory, { fs, depth: 'deep' });
      expect({ raced, ...report }).toMatchObject({ raced, verdict: 'sound', findings: [] });
      const { version, files } = await readDatabase(fs, path.join(tree.directory, INDEXED_DB));
      // Records of the log are in the log or in the table that replaced it: never in neither.
      const inLog = files.logs.some(({ number }) => number === 6);
      expect({ raced, whole: inLog || version.tables.has(12) }).toEqual({ raced, whole: true });
    }
  });
});

describe('a capture of SQLite while the browser writes', () => {
  const isDb = (name: string, file: string) =>
    name === 'open' && !file.includes('/staged/') && file.endsWith(path.basename(SQLITE_DB));

  it('starts again when the database was written to', async () => {
    const profileDir = await makeProfile(sqliteProfileFiles());
    const checkpoint = () => writeFile(path.join(profileDir, SQLITE_DB), sqliteFile(4));
    const tree = await capture(profileDir, { fs: hooked(() => undefined, once(isDb, checkpoint)) });
    expect(tree.attempts).toBe(2);
    expect((await stat(path.join(tree.directory, SQLITE_DB))).size).toBe(4 * 4096);
  });

  it('starts again when the -wal was begun anew, or gone', async () => {
    const profileDir = await makeProfile(sqliteProfileFiles());
    const wal = path.join(profileDir, `${SQLITE_DB}-wal`);
    const restart = () => writeFile(wal, Buffer.alloc(9000, 8));
    expect((await capture(profileDir, { fs: hooked(once(isDb, restart)) })).attempts).toBe(2);
    const tree = await capture(profileDir, { fs: hooked(once(isDb, () => unlink(wal))) });
    expect(tree.attempts).toBe(2);
    expect(tree.files.map((f) => f.path)).not.toContain(`${SQLITE_DB}-wal`);
  });

  it('does not start again because the -wal grew', async () => {
    const profileDir = await makeProfile(sqliteProfileFiles());
    const grow = () => fs.promises.appendFile(path.join(profileDir, `${SQLITE_DB}-wal`), 'another frame');
    expect((await capture(profileDir, { fs: hooked(once(isDb, grow)) })).attempts).toBe(1);
  });

  it('takes a rollback journal with its database', async () => {
    const profileDir = await makeProfile({ ...sqliteProfileFiles(), 'Default/LocalStorage-journal': 'undo' });
    expect((await capture(profileDir)).files.map((f) => f.path)).toContain('Default/LocalStorage-journal');
  });
});

describe('the writer of these tests', () => {
  it('makes logs and databases that the reader takes for whole', async () => {
    const profileDir = await makeProfile({ ...indexedDbFiles(), ...flushedLocalStorageFiles() });
    const { version } = await readDatabase(fs, path.join(profileDir, INDEXED_DB));
    expect([...version.tables.keys()]).toEqual([5, 7]);
    expect(readLog(await readFile(path.join(profileDir, INDEXED_DB, '000006.log'))).records).toBe(12);
    // Byte for byte the first record of a MANIFEST of Chromium 156, for IndexedDB.
    expect(writeLog([writeEdit(newDatabaseEdit('idb_cmp1'))]).toString('hex')).toBe(
      'e4d68eee10000101086964625f636d7031020003020400',
    );
  });
});

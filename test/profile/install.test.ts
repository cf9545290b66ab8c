import fs from 'node:fs';
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../src/file-system.js';
import { installProfile, quarantineProfile, recoverInstall } from '../../src/profile/install.js';
import { listQuarantine, pruneQuarantine } from '../../src/profile/quarantine.js';
import {
  createStagingFolder,
  removeStagingLeftovers,
  resolveSideFolder,
  uniqueName,
} from '../../src/profile/side-folder.js';
import { failingFileSystem } from '../../src/testing/failing-file-system.js';
import { INDEXED_DB, LOCAL_STORAGE, makeProfile, temporaryFolder, writeTree } from './profiles.js';

let ticks = 0;
const names = {
  clock: {
    now: () => Date.UTC(2026, 10, 23) + ticks++ * 1000,
    monotonic: () => 0,
    setTimeout: () => undefined,
    clearTimeout: () => undefined,
  },
  random: () => 0.5,
};
const real = { ...names, fs };

const oldFiles = {
  [`${INDEXED_DB}/CURRENT`]: 'old',
  [`${INDEXED_DB}/000001.ldb`]: 'old table',
  [`${LOCAL_STORAGE}/CURRENT`]: 'old',
  'Default/Cookies': 'old cookies',
};
const newFiles = {
  [`${INDEXED_DB}/CURRENT`]: 'new',
  [`${LOCAL_STORAGE}/CURRENT`]: 'new',
  'Default/LocalStorage': 'new',
};

/** A profile and a staged one. `options.fs` decides whether the profile is a mount point. */
async function prepare(options: typeof real = real) {
  const profileDir = await makeProfile(oldFiles);
  const stagedDir = await createStagingFolder(profileDir, options);
  await writeTree(stagedDir, newFiles);
  return { profileDir, stagedDir };
}

/** Files of a folder, by path, to their contents; without the side folder inside. */
function treeOf(root: string): Record<string, string> {
  const files: Record<string, string> = {};
  if (!fs.existsSync(root)) return files;
  for (const entry of fs.readdirSync(root, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const relative = path.relative(root, file);
    if (entry.isFile() && !relative.startsWith('.persistent'))
      files[relative] = fs.readFileSync(file, 'utf8');
  }
  return files;
}

function wrapped(
  intercept: (name: string, call: () => Promise<unknown>, args: unknown[]) => Promise<unknown>,
): FileSystem {
  const promises = Object.fromEntries(
    Object.entries(fs.promises).map(([name, method]) => {
      if (typeof method !== 'function') return [name, method];
      const call = method as (...args: unknown[]) => Promise<unknown>;
      return [name, (...args: unknown[]) => intercept(name, () => call(...args), args)];
    }),
  ) as unknown as FileSystem['promises'];
  return { ...fs, promises };
}

const failure = (code: string) => Object.assign(new Error(code), { code });

/** Everything fails from the n-th call on: what a crash looks like to those who come after. */
function crashing(n: number, base: FileSystem = fs): { fs: FileSystem; calls: () => number } {
  let calls = 0;
  const promises = Object.fromEntries(
    Object.entries(base.promises).map(([name, method]) => [
      name,
      typeof method !== 'function'
        ? method
        : async (...args: unknown[]) => {
            if (++calls >= n) throw failure('ECRASH');
            return (method as (...args: unknown[]) => Promise<unknown>)(...args);
          },
    ]),
  ) as unknown as FileSystem['promises'];
  return { fs: { ...base, promises }, calls: () => calls };
}

/** A file system on which every folder named `session` is a mount point: its device differs, it can't be renamed. */
function mounted(shownBy: 'device' | 'mountinfo' | 'rename'): FileSystem {
  return wrapped(async (name, call, args) => {
    const [first] = args.map(String);
    if (name === 'lstat' && shownBy === 'device' && path.basename(first ?? '') === 'session') {
      return Object.assign((await call()) as fs.Stats, { dev: 4242 });
    }
    if (name === 'readFile' && first === '/proc/self/mountinfo') {
      const line = (at: string) => `36 35 98:0 / ${at} rw - ext4 /dev/x rw`;
      return shownBy === 'mountinfo' ? `${mountedAt.map(line).join('\n')}\n` : '';
    }
    if (name === 'rename' && path.basename(first ?? '') === 'session') throw failure('EBUSY');
    return call();
  });
}
const mountedAt: string[] = [];

describe('installing a profile', () => {
  it.each(['install-journal.json', 'staging'])(
    'leaves the new one in place when only the tidying up of %s fails, as a virus scanner makes it',
    async (name) => {
      const { profileDir, stagedDir } = await prepare();
      const busy = wrapped((method, call, [target]) => {
        const isTidying = method === 'rm' && treeOf(profileDir)[`${INDEXED_DB}/CURRENT`] === 'new';
        return isTidying && String(target).includes(name) ? Promise.reject(failure('EBUSY')) : call();
      });
      const installing = installProfile({ ...names, fs: busy, profileDir, stagedDir, reason: 'corrupt' });
      await expect(installing).rejects.toMatchObject({ code: 'EBUSY' });
      expect(treeOf(profileDir)).toEqual(newFiles);
      await recoverInstall(profileDir, { fs });
      expect(treeOf(profileDir)).toEqual(newFiles);
    },
  );

  it('puts the new one in place and the old one into quarantine, with the reason', async () => {
    const { profileDir, stagedDir } = await prepare();
    const { quarantined } = await installProfile({ ...real, profileDir, stagedDir, reason: 'corrupt' });
    expect(treeOf(profileDir)).toEqual(newFiles);
    expect(treeOf(path.join(quarantined ?? '', 'profile'))).toEqual(oldFiles);
    const note = JSON.parse(await readFile(path.join(quarantined ?? '', 'reason.json'), 'utf8'));
    expect(note).toMatchObject({ reason: 'corrupt', from: fs.realpathSync(profileDir) });
    expect(fs.existsSync(stagedDir)).toBe(false);
    const side = await resolveSideFolder(profileDir, { fs });
    expect(fs.existsSync(side.journal)).toBe(false);
    expect(side).toMatchObject({
      placement: 'beside',
      root: path.join(path.dirname(profileDir), '.session.persistent'),
    });
  });

  it('keeps folders and notes to the owner', async () => {
    const { profileDir, stagedDir } = await prepare();
    const { quarantined } = await installProfile({ ...real, profileDir, stagedDir, reason: 'corrupt' });
    const mode = (file: string) => fs.statSync(file).mode & 0o777;
    const { root, staging, quarantine } = await resolveSideFolder(profileDir, { fs });
    for (const folder of [root, staging, quarantine, quarantined ?? '']) expect(mode(folder)).toBe(0o700);
    expect(mode(path.join(quarantined ?? '', 'reason.json'))).toBe(0o600);
  });

  it.each([
    [undefined, Object.keys(newFiles).length],
    [true, 0],
  ])(
    'flushes the files of the new profile unless they are on the disk already (%s)',
    async (isDurable, flushed) => {
      const watching = failingFileSystem(fs, {});
      const { profileDir, stagedDir } = await prepare();
      await installProfile({
        ...{ ...names, fs: watching, profileDir, stagedDir, reason: 'corrupt' },
        ...(isDurable === undefined ? {} : { isDurable }),
      });
      const inStaged = watching.calls.filter(
        ({ operation, paths }) =>
          operation === 'open' && paths.some((one) => one.startsWith(`${stagedDir}/`)),
      );
      expect(inStaged).toHaveLength(flushed);
    },
  );

  it('needs no old profile', async () => {
    const profileDir = path.join(await temporaryFolder(), 'deep/session');
    const stagedDir = await createStagingFolder(profileDir, real);
    await writeTree(stagedDir, newFiles);
    const { quarantined } = await installProfile({ ...real, profileDir, stagedDir, reason: 'absent' });
    expect(quarantined).toBeUndefined();
    expect(treeOf(profileDir)).toEqual(newFiles);
    expect(await listQuarantine(profileDir, { fs })).toEqual([]);
  });

  it('works on the folder behind a symbolic link', async () => {
    const { profileDir, stagedDir } = await prepare();
    const link = path.join(await temporaryFolder(), 'link');
    await symlink(profileDir, link);
    await installProfile({ ...real, profileDir: link, stagedDir, reason: 'corrupt' });
    expect(fs.lstatSync(link).isSymbolicLink()).toBe(true);
    expect(treeOf(profileDir)).toEqual(newFiles);
  });

  it('refuses what is not in its own staging folder', async () => {
    const { profileDir } = await prepare();
    const elsewhere = await makeProfile(newFiles);
    const attempt = (stagedDir: string) => installProfile({ ...real, profileDir, stagedDir, reason: 'x' });
    await expect(attempt(elsewhere)).rejects.toThrow(/own staging folder/);
    await expect(attempt(path.join(elsewhere, 'missing'))).rejects.toThrow(/own staging folder/);
    expect(treeOf(profileDir)).toEqual(oldFiles);
  });
});

describe.each(['device', 'mountinfo', 'rename'] as const)(
  'a profile that is a mount point, shown by its %s',
  (shownBy) => {
    const options = { ...names, fs: mounted(shownBy) };

    async function prepareMounted() {
      const profileDir = await makeProfile(oldFiles);
      mountedAt[0] = fs.realpathSync(profileDir);
      const stagedDir = await createStagingFolder(profileDir, options);
      await writeTree(stagedDir, newFiles);
      return { profileDir, stagedDir };
    }

    it('has its essential parts replaced, the rest stays', async () => {
      const { profileDir, stagedDir } = await prepareMounted();
      const { quarantined } = await installProfile({ ...options, profileDir, stagedDir, reason: 'corrupt' });
      expect(treeOf(profileDir)).toEqual({ ...newFiles, 'Default/Cookies': 'old cookies' });
      const { 'Default/Cookies': _, ...essential } = oldFiles;
      expect(treeOf(path.join(quarantined ?? '', 'profile'))).toEqual(essential);
      expect(quarantined?.startsWith(path.join(fs.realpathSync(profileDir), '.persistent/quarantine'))).toBe(
        true,
      );
      expect((await listQuarantine(profileDir, options)).map((entry) => entry.path)).toEqual([quarantined]);
      expect(fs.existsSync(stagedDir)).toBe(false);
    });

    it('is put aside in its parts', async () => {
      const { profileDir } = await prepareMounted();
      const quarantined = await quarantineProfile(profileDir, 'rejected', options);
      expect(treeOf(profileDir)).toEqual({ 'Default/Cookies': 'old cookies' });
      expect(treeOf(path.join(quarantined ?? '', 'profile'))).toMatchObject({
        [`${INDEXED_DB}/CURRENT`]: 'old',
      });
      expect(await quarantineProfile(profileDir, 'again', options)).toBeUndefined();
    });

    it('is undone at once, part for part, when one of them can not be moved', async () => {
      const { profileDir, stagedDir } = await prepareMounted();
      let hasFailed = false;
      const failing = wrapped(async (name, _call, args) => {
        const rename = options.fs.promises.rename as (...paths: unknown[]) => Promise<unknown>;
        const isIntoPlace = name === 'rename' && String(args[1]).endsWith(`session/${LOCAL_STORAGE}`);
        if (isIntoPlace && !hasFailed) {
          hasFailed = true;
          throw failure('EIO');
        }
        return rename(...args);
      });
      const { rename } = failing.promises;
      const failingFs = { ...options.fs, promises: { ...options.fs.promises, rename } };
      const work = installProfile({ ...names, fs: failingFs, profileDir, stagedDir, reason: 'x' });
      await expect(work).rejects.toMatchObject({ code: 'EIO' });
      expect(treeOf(profileDir)).toEqual(oldFiles);
      await recoverInstall(profileDir, options);
      expect(treeOf(profileDir)).toEqual(oldFiles);
    });

    it('is the old or the new one after a crash at any call', async () => {
      const { 'Default/Cookies': _, ...oldEssential } = oldFiles;
      const outcomes = new Set<string>();
      for (let n = 1, isDone = false; !isDone; n++) {
        const { profileDir, stagedDir } = await prepareMounted();
        const crash = crashing(n, options.fs);
        const work = installProfile({ ...names, fs: crash.fs, profileDir, stagedDir, reason: 'corrupt' });
        isDone = await work.then(
          () => true,
          () => false,
        );
        await recoverInstall(profileDir, options);
        const { 'Default/Cookies': cookies, ...essential } = treeOf(profileDir);
        expect(cookies).toBe('old cookies');
        const isOld = essential[`${INDEXED_DB}/CURRENT`] === 'old';
        expect({ n, essential }).toEqual({ n, essential: isOld ? oldEssential : newFiles });
        outcomes.add(isOld ? 'old' : 'new');
        expect(n).toBeLessThan(400);
      }
      expect([...outcomes].sort()).toEqual(['new', 'old']);
    });
  },
);

describe('a crash while a profile is installed', () => {
  it('removes a journal that was never finished: nothing had been moved yet', async () => {
    const { profileDir } = await prepare();
    const { journal } = await resolveSideFolder(profileDir, { fs });
    await writeFile(`${journal}.tmp`, '{"format"');
    expect(await recoverInstall(profileDir, { fs })).toBe('nothing');
    expect(fs.existsSync(`${journal}.tmp`)).toBe(false);
    expect(treeOf(profileDir)).toEqual(oldFiles);
  });

  it('at any call leaves the old or the new one, whole, and the other is not lost', async () => {
    const outcomes = new Set<string>();
    for (let n = 1, isDone = false; !isDone; n++) {
      const { profileDir, stagedDir } = await prepare();
      const crash = crashing(n);
      isDone = await installProfile({ ...names, fs: crash.fs, profileDir, stagedDir, reason: 'x' }).then(
        () => true,
        () => false,
      );
      await recoverInstall(profileDir, { fs });
      const tree = treeOf(profileDir);
      const isOld = tree['Default/Cookies'] !== undefined;
      expect({ n, tree }).toEqual({ n, tree: isOld ? oldFiles : newFiles });
      if (!isOld) {
        const [entry] = await listQuarantine(profileDir, { fs });
        expect(treeOf(path.join(entry?.path ?? '', 'profile'))).toEqual(oldFiles);
      }
      outcomes.add(isOld ? 'old' : 'new');
      expect(await recoverInstall(profileDir, { fs })).toBe('nothing');
      expect(n).toBeLessThan(200);
    }
    expect([...outcomes].sort()).toEqual(['new', 'old']);
  });

  it('and another crash at any call of the recovery, is cured by the next recovery', async () => {
    for (let n = 1, isDone = false; !isDone; n++) {
      const { profileDir, stagedDir } = await prepare();
      await crashBetweenRenames(profileDir, stagedDir);
      isDone = await recoverInstall(profileDir, { fs: crashing(n).fs }).then(
        () => true,
        () => false,
      );
      await recoverInstall(profileDir, { fs });
      expect({ n, tree: treeOf(profileDir) }).toEqual({ n, tree: newFiles });
      expect(n).toBeLessThan(100);
    }
  });

  /** Stops after the first rename of a profile: the old one is aside, the new one still staged. */
  async function crashBetweenRenames(profileDir: string, stagedDir: string): Promise<void> {
    let hasCrashed = false;
    const dying = wrapped(async (name, call, args) => {
      if (hasCrashed) throw failure('ECRASH');
      const result = await call();
      hasCrashed = name === 'rename' && String(args[1]).endsWith('/profile');
      return result;
    });
    await expect(installProfile({ ...names, fs: dying, profileDir, stagedDir, reason: 'x' })).rejects.toThrow(
      'ECRASH',
    );
    expect(fs.existsSync(profileDir)).toBe(false);
  }

  it('is finished by the next start', async () => {
    const { profileDir, stagedDir } = await prepare();
    await crashBetweenRenames(profileDir, stagedDir);
    expect(await removeStagingLeftovers(profileDir, { fs })).toEqual({ freedBytes: 0, files: 0 });
    await pruneQuarantine(profileDir, { fs, now: Number.MAX_SAFE_INTEGER, keepLast: 2 });
    expect(await recoverInstall(profileDir, { fs })).toBe('completed');
    expect(treeOf(profileDir)).toEqual(newFiles);
  });

  it('keeps its reason, though quarantine is pruned before it is finished', async () => {
    const { profileDir, stagedDir } = await prepare();
    let isDead = false;
    const dying = wrapped(async (name, call, args) => {
      isDead ||= name === 'rename' && String(args[1]).endsWith('/profile');
      if (isDead) throw failure('ECRASH');
      return call();
    });
    const work = installProfile({ ...names, fs: dying, profileDir, stagedDir, reason: 'corrupt' });
    await expect(work).rejects.toThrow('ECRASH');
    await pruneQuarantine(profileDir, { fs, now: Number.MAX_SAFE_INTEGER, keepLast: 2 });
    expect(await recoverInstall(profileDir, { fs })).toBe('completed');
    expect((await listQuarantine(profileDir, { fs }))[0]?.reason).toBe('corrupt');
  });

  it('is undone when the new profile is gone', async () => {
    const { profileDir, stagedDir } = await prepare();
    await crashBetweenRenames(profileDir, stagedDir);
    await rm(stagedDir, { recursive: true });
    expect(await recoverInstall(profileDir, { fs })).toBe('undone');
    expect(treeOf(profileDir)).toEqual(oldFiles);
  });

  it('is finished although a browser was started in between: what it began goes aside', async () => {
    const { profileDir, stagedDir } = await prepare();
    await crashBetweenRenames(profileDir, stagedDir);
    await writeTree(profileDir, { 'Default/Cookies': 'of nobody' });
    expect(await recoverInstall(profileDir, { fs })).toBe('completed');
    expect(treeOf(profileDir)).toEqual(newFiles);
    const [entry] = await listQuarantine(profileDir, { fs });
    expect(treeOf(path.join(entry?.path ?? '', 'in-the-way'))).toEqual({ 'Default/Cookies': 'of nobody' });
  });

  it('is finished although somebody deleted the old profile', async () => {
    const { profileDir, stagedDir } = await prepare();
    const side = await resolveSideFolder(profileDir, { fs });
    const journal = {
      format: 1,
      mode: 'folder',
      quarantine: 'q',
      staged: path.basename(stagedDir),
      old: [''],
      new: [''],
    };
    await writeFile(side.journal, JSON.stringify(journal));
    await rm(profileDir, { recursive: true });
    expect(await recoverInstall(profileDir, { fs })).toBe('completed');
    expect(treeOf(profileDir)).toEqual(newFiles);
  });

  it.each([
    ['no JSON', 'garbage'],
    ['nothing', 'null'],
    [
      'a way out of the staging folder',
      JSON.stringify({ format: 1, mode: 'folder', quarantine: 'q', staged: '../..', old: [''], new: [''] }),
    ],
    [
      'a way out by a dot',
      JSON.stringify({ format: 1, mode: 'folder', quarantine: '..', old: [''], new: [] }),
    ],
    [
      'a part that is none',
      JSON.stringify({ format: 1, mode: 'parts', quarantine: 'q', old: ['../../etc'], new: [] }),
    ],
    ['a list that is none', JSON.stringify({ format: 1, mode: 'parts', quarantine: 'q', old: 'x', new: [] })],
    ['another format', JSON.stringify({ format: 2, mode: 'folder', quarantine: 'q', old: [''], new: [''] })],
  ])('does nothing for a journal that holds %s, and removes it', async (_, contents) => {
    const { profileDir } = await prepare();
    const side = await resolveSideFolder(profileDir, { fs });
    await writeFile(side.journal, contents);
    expect(await recoverInstall(profileDir, { fs })).toBe('nothing');
    expect(treeOf(profileDir)).toEqual(oldFiles);
    expect(fs.existsSync(side.journal)).toBe(false);
  });

  it('that was only a failure is undone at once', async () => {
    const { profileDir, stagedDir } = await prepare();
    const failing = wrapped(async (name, call, args) => {
      if (name === 'rename' && String(args[0]) === stagedDir) throw failure('EIO');
      return call();
    });
    const work = installProfile({ ...names, fs: failing, profileDir, stagedDir, reason: 'x' });
    await expect(work).rejects.toMatchObject({ code: 'EIO' });
    expect(treeOf(profileDir)).toEqual(oldFiles);
    expect(treeOf(stagedDir)).toEqual(newFiles);
    expect(await listQuarantine(profileDir, { fs })).toEqual([]);
    expect(await recoverInstall(profileDir, { fs })).toBe('nothing');
  });
});

describe('quarantine', () => {
  async function quarantineTimes(
    count: number,
    bytes = 100,
    copyOf: (i: number) => string | undefined = () => undefined,
  ) {
    const profileDir = path.join(await temporaryFolder(), 'session');
    const paths: string[] = [];
    for (let i = 0; i < count; i++) {
      await writeTree(profileDir, { 'Default/x': 'x'.repeat(bytes) });
      paths.push((await quarantineProfile(profileDir, `reason ${i}`, { ...real, copyOf: copyOf(i) })) ?? '');
    }
    return { profileDir, paths };
  }
  const now = () => names.clock.now();

  it('lists what lies in it, oldest first', async () => {
    const { profileDir, paths } = await quarantineTimes(3);
    expect(fs.existsSync(profileDir)).toBe(false);
    const listed = await listQuarantine(profileDir, { fs });
    expect(listed.map((entry) => entry.path)).toEqual(paths);
    expect(listed.map((entry) => entry.reason)).toEqual(['reason 0', 'reason 1', 'reason 2']);
    expect(listed.every((entry) => entry.bytes === 100 && entry.at.startsWith('2026-11-23T'))).toBe(true);
  });

  it('does nothing without a profile', async () => {
    expect(await quarantineProfile('/nowhere/session', 'x', real)).toBeUndefined();
    expect(await listQuarantine('/nowhere/session', { fs })).toEqual([]);
  });

  it('survives a crash at any call: the profile is in place or in quarantine', async () => {
    for (let n = 1, isDone = false; !isDone; n++) {
      const profileDir = await makeProfile(oldFiles);
      isDone = await quarantineProfile(profileDir, 'x', { ...names, fs: crashing(n).fs }).then(
        () => true,
        () => false,
      );
      await recoverInstall(profileDir, { fs });
      const [entry] = await listQuarantine(profileDir, { fs });
      const tree = entry === undefined ? treeOf(profileDir) : treeOf(path.join(entry.path, 'profile'));
      expect({ n, tree }).toEqual({ n, tree: oldFiles });
      expect(n).toBeLessThan(100);
    }
  });

  it('always keeps the last two', async () => {
    const { profileDir, paths } = await quarantineTimes(4);
    const result = await pruneQuarantine(profileDir, {
      fs,
      now: now() + 1e12,
      keepLast: 2,
      maxAgeMs: 1,
      maxBytes: 1,
    });
    expect(result).toEqual({ removed: [paths[1], paths[0]], freedBytes: 200, files: 2 });
    expect((await listQuarantine(profileDir, { fs })).map((entry) => entry.path)).toEqual(paths.slice(2));
    await expect(pruneQuarantine(profileDir, { fs, now: 0, keepLast: 1 })).rejects.toThrow(/keepLast is 1/);
  });

  it('keeps more while they are young and small', async () => {
    const { profileDir, paths } = await quarantineTimes(5);
    const options = { fs, now: now(), keepLast: 2, maxAgeMs: 1e9 };
    expect((await pruneQuarantine(profileDir, options)).removed).toEqual([]);
    expect((await pruneQuarantine(profileDir, { ...options, maxBytes: 400 })).removed).toEqual([paths[0]]);
    expect((await pruneQuarantine(profileDir, { ...options, maxBytes: 350 })).removed).toEqual([paths[1]]);
    expect((await pruneQuarantine(profileDir, { fs, now: now(), keepLast: 2 })).removed).toEqual([paths[2]]);
  });

  it('gives up copies of snapshots before what is nowhere else, and never the last two of either', async () => {
    const { profileDir, paths } = await quarantineTimes(6, 100, (i) =>
      i === 2 || i > 3 ? 'snapshot' : undefined,
    );
    const [oldest, , copy] = paths;
    const options = { fs, now: now(), keepLast: 2, maxAgeMs: 1e9 };
    expect((await listQuarantine(profileDir, { fs })).map(({ copyOf }) => copyOf)).toEqual([
      undefined,
      undefined,
      'snapshot',
      undefined,
      'snapshot',
      'snapshot',
    ]);
    expect((await pruneQuarantine(profileDir, { ...options, maxBytes: 500 })).removed).toEqual([copy]);
    const bounds = { ...options, maxAgeMs: 0, maxBytes: 1 };
    expect((await pruneQuarantine(profileDir, bounds)).removed).toEqual([oldest]);
  });

  it('tells the time by the name when the note is lost, and removes entries without a profile', async () => {
    const { profileDir, paths } = await quarantineTimes(2);
    await rm(path.join(paths[0] ?? '', 'reason.json'));
    await writeFile(path.join(paths[1] ?? '', 'reason.json'), 'null');
    const { quarantine } = await resolveSideFolder(profileDir, { fs });
    await mkdir(path.join(quarantine, 'rest'));
    await rename(paths[1] ?? '', path.join(quarantine, 'renamed'));
    const listed = await listQuarantine(profileDir, { fs });
    expect(listed.map(({ reason, at }) => [reason, at.slice(0, 10)])).toEqual([
      ['unknown', '2026-11-23'],
      ['unknown', '1970-01-01'],
    ]);
    await pruneQuarantine(profileDir, { fs, now: now(), keepLast: 2 });
    expect(fs.existsSync(path.join(quarantine, 'rest'))).toBe(false);
    expect((await listQuarantine(profileDir, { fs })).length).toBe(2);
  });
});

describe('staging', () => {
  it('gives every restore a new private folder, and clears what was left', async () => {
    const profileDir = path.join(await temporaryFolder(), 'session');
    const folders = [
      await createStagingFolder(profileDir, real),
      await createStagingFolder(profileDir, real),
    ];
    expect(new Set(folders).size).toBe(2);
    for (const folder of folders) expect(fs.statSync(folder).mode & 0o777).toBe(0o700);
    await writeTree(folders[0] ?? '', { 'Default/half': 'half', 'Default/more': 'more' });
    expect(await removeStagingLeftovers(profileDir, { fs })).toEqual({ freedBytes: 8, files: 2 });
    expect(folders.some((folder) => fs.existsSync(folder))).toBe(false);
    expect(await removeStagingLeftovers(profileDir, { fs })).toEqual({ freedBytes: 0, files: 0 });
  });

  it('has names that sort by time and are unique', () => {
    const at = (now: number, random: number) =>
      uniqueName({ clock: { ...names.clock, now: () => now }, random: () => random });
    expect(at(Date.UTC(2026, 10, 23, 5, 14, 9, 123), 0.5)).toBe('20261123T051409123Z-80000000');
    expect(at(1e12, 0)).not.toBe(at(1e12, 0.1));
    expect(at(1e12, 0.9) < at(1e12 + 1, 0.1)).toBe(true);
  });
});

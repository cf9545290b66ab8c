import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { listEssentialFiles } from '../../src/profile/essential-files.js';
import { checkProfile } from '../../src/profile/soundness.js';
import { failingFileSystem } from '../../src/testing/failing-file-system.js';
import type { SnapshotFile } from '../../src/types.js';
import {
  flushedLocalStorageFiles,
  INDEXED_DB,
  indexedDbFiles,
  LOCAL_STORAGE,
  makeProfile,
} from './profiles.js';

const { readFile, rm, writeFile } = fs.promises;
const before = { fs, depth: 'before-launch' } as const;
const beside = { fs, depth: 'beside-launch' } as const;
const deep = { fs, depth: 'deep' } as const;

const wholeProfile = () => makeProfile({ ...indexedDbFiles(), ...flushedLocalStorageFiles() });

async function referenceOf(profileDir: string): Promise<readonly SnapshotFile[]> {
  const files = await listEssentialFiles(profileDir, { fs });
  return Promise.all(
    files.map(async ({ path: file, size }) => {
      const bytes = await readFile(path.join(profileDir, file));
      return { path: file, size, sha256: createHash('sha256').update(bytes).digest('hex') };
    }),
  );
}

async function filesOf(profileDir: string, folder: string): Promise<readonly string[]> {
  const names = await fs.promises.readdir(path.join(profileDir, folder));
  return names.filter((name) => name !== 'LOCK').map((name) => `${folder}/${name}`);
}

type Damage = (file: string) => Promise<unknown>;
const DAMAGES: readonly (readonly [string, Damage])[] = [
  ['deleted', (file) => rm(file)],
  ['emptied', (file) => writeFile(file, '')],
  [
    'with one byte changed in the middle',
    async (file) => {
      const bytes = await readFile(file);
      const middle = Math.floor(bytes.length / 2);
      bytes[middle] = (bytes[middle] ?? 0) ^ 1;
      await writeFile(file, bytes);
    },
  ],
];

describe('the check before a launch and the one beside it', () => {
  it.each(DAMAGES)(
    'find together what the deep check finds, and all of Local Storage before: a file %s',
    async (_, damage) => {
      const names = await Promise.all(
        [INDEXED_DB, LOCAL_STORAGE].map(async (folder) => filesOf(await wholeProfile(), folder)),
      );
      for (const name of names.flat()) {
        const profileDir = await wholeProfile();
        const reference = await referenceOf(profileDir);
        await damage(path.join(profileDir, name));
        const verdictOf = async (options: typeof before | typeof beside | typeof deep) =>
          (await checkProfile(profileDir, { ...options, reference })).verdict;
        const [first, rest, all] = [await verdictOf(before), await verdictOf(beside), await verdictOf(deep)];
        expect([name, first === 'sound' && rest === 'sound']).toEqual([name, all === 'sound']);
        if (name.startsWith(LOCAL_STORAGE)) expect([name, first]).toEqual([name, all]);
      }
    },
  );

  it('the first reads no whole table of IndexedDB', async () => {
    const profileDir = await wholeProfile();
    const table = `${INDEXED_DB}/000005.ldb`;
    const bytes = await readFile(path.join(profileDir, table));
    bytes.fill(0, 0, bytes.length - 48);
    await writeFile(path.join(profileDir, table), bytes);
    expect((await checkProfile(profileDir, before)).verdict).toBe('sound');
    expect((await checkProfile(profileDir, beside)).verdict).toBe('corrupt');
  });

  it('the second reads nothing of Local Storage, which a launched browser is writing', async () => {
    const profileDir = await wholeProfile();
    const reference = await referenceOf(profileDir);
    const watching = failingFileSystem(fs, { operation: 'open', path: LOCAL_STORAGE });
    await rm(path.join(profileDir, LOCAL_STORAGE, 'CURRENT'));
    const report = await checkProfile(profileDir, { ...beside, fs: watching, reference });
    expect(report).toMatchObject({ verdict: 'sound', findings: [] });
    expect(watching.matchingCalls).toBe(0);
  });
});

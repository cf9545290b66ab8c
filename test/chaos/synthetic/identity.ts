import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { createFsFromVolume, Volume } from 'memfs';
import { isSessionError } from '../../../src/errors.js';
import { type FileSystem, systemFileSystem } from '../../../src/file-system.js';
import { ESSENTIAL_PATHS } from '../../../src/profile/essential-files.js';
import { openRepository } from '../../../src/snapshot/repository/open-repository.js';
import type { SnapshotRepository } from '../../../src/snapshot/repository.js';
import { FileSystemStore } from '../../../src/stores/file-system-store.js';
import { inlineTaskRunner } from '../../../src/task.js';
import { captureTree, contextAt, readTree, sameTree, type TreeFiles } from './tree.js';
import { withoutPaths } from './without-paths.js';

const FOLDERS = [
  ESSENTIAL_PATHS.indexedDbLevelDb,
  ESSENTIAL_PATHS.indexedDbBlobs,
  ESSENTIAL_PATHS.indexedDbSqlite,
  ESSENTIAL_PATHS.localStorageLevelDb,
];
const AT = '2026-11-23T05:14:09.123Z';

/** Names that LevelDB and Chromium use, and names that nobody should use. */
const name = fc.oneof(
  fc.constantFrom(
    'CURRENT',
    'MANIFEST-000001',
    '000003.log',
    '000005.ldb',
    '0a',
    'ff',
    '.hidden',
    'a b',
    'x.y.z',
  ),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((text) => !/[/\0]/.test(text)),
  fc.constantFrom(
    'é',
    'e\u0301',
    '文件',
    '🦊',
    'ÀÉ',
    'con',
    'nul.txt',
    'a.',
    'b ',
    '-rf',
    '%41',
    '#',
    '~',
    "it's",
  ),
  fc.nat(255).map((length) => 'n'.repeat(length + 1)),
);
/** Names without the characters and lengths that some platform could not restore. */
const portableName = name.map((text) => `${text.replace(/[<>:"|?*\\\p{C}]/gu, '_').slice(0, 120)}_`);
const pathOf = (names: fc.Arbitrary<string>) =>
  fc
    .tuple(fc.constantFrom(...FOLDERS), fc.array(names, { minLength: 1, maxLength: 6 }))
    .map(([folder, below]) => [folder, ...below].join('/'));
const content = fc.oneof(
  { weight: 1, arbitrary: fc.constant(new Uint8Array()) },
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 400 }) },
  { weight: 1, arbitrary: fc.nat(70_000).map((size) => new Uint8Array(size).fill(size % 251)) },
);
const treeOf = (names: fc.Arbitrary<string>) =>
  fc.array(fc.tuple(pathOf(names), content), { minLength: 1, maxLength: 12 });
const tree = fc.oneof({ weight: 5, arbitrary: treeOf(portableName) }, { weight: 1, arbitrary: treeOf(name) });

export interface IdentityReport {
  identical: number;
  /** Number of trees that were refused before anything was stored, because a name could not be restored everywhere. */
  refused: number;
}

/**
 * Checks that capture, save and restore give back the same tree, whatever its names, or refuse it before anything is
 * stored.
 *
 * @throws Error with the seed and the smallest failing tree
 */
export async function checkIdentity(seed: number, runs: number): Promise<IdentityReport> {
  const report: IdentityReport = { identical: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(tree, async (entries) => {
      const files = withoutClashes(entries);
      const fs = createFsFromVolume(new Volume()) as unknown as FileSystem;
      if (await goesThrough(fs, '/', files)) report.identical++;
      else report.refused++;
    }),
    { seed, numRuns: runs },
  );
  return report;
}

/** Checks one file of this many bytes on the real disk. */
export async function checkLargeFile(bytes: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'wwebjs-large-'));
  try {
    const large = Buffer.alloc(bytes, 'a session of the real size; ');
    const files = new Map([[`${ESSENTIAL_PATHS.indexedDbLevelDb}/000005.ldb`, large]]);
    if (!(await goesThrough(systemFileSystem, folder, files))) throw new Error('a large file was refused');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Returns `false` if both formats refused the tree and stored nothing. Throws if different bytes come back. */
async function goesThrough(fs: FileSystem, root: string, files: TreeFiles): Promise<boolean> {
  const captured = await captureTree(fs, join(root, 'captured'), files);
  const accepted: boolean[] = [];
  for (const [index, repository] of repositories(fs, root).entries()) {
    const kind = `${repository.kind} ${index}`;
    try {
      const result = await repository.create(captured, contextAt(AT));
      await repository.restore(result.snapshot.id, join(root, `restored-${kind}`));
      if (!sameTree(await readTree(fs, join(root, `restored-${kind}`)), files)) {
        throw new Error(`the ${kind} gave back another tree`);
      }
      accepted.push(true);
    } catch (error) {
      if (!isSessionError(error) || error.code !== 'SNAPSHOT_UNSAFE') throw error;
      if ((await repository.list()).length > 0) throw new Error(`a refused ${kind} is listed`);
      accepted.push(false);
    }
  }
  if (new Set(accepted).size > 1) throw new Error('one format takes what the other refuses');
  return accepted[0] === true;
}

function repositories(fs: FileSystem, root: string): readonly SnapshotRepository[] {
  const shared = { fs, clientId: 'shop', runner: inlineTaskRunner(fs) };
  const store = (folder: string) => new FileSystemStore(join(root, folder), { fs });
  return [
    openRepository({ kind: 'save' }, { ...shared, store: store('saves') }),
    openRepository({ kind: 'save' }, { ...shared, store: withoutPaths(store('packed')) }),
    openRepository(
      { kind: 'backup', stagingDirectory: join(root, 'staging') },
      { ...shared, store: store('backups') },
    ),
  ];
}

/** Removes clashes, because no file system can have a file and a folder at one path, or two files with one name. */
function withoutClashes(entries: readonly (readonly [string, Uint8Array])[]): TreeFiles {
  const files = new Map<string, Uint8Array>();
  for (const [candidate, bytes] of entries) {
    const clashes = [...files.keys()].some(
      (taken) => taken.startsWith(`${candidate}/`) || candidate.startsWith(`${taken}/`),
    );
    const isNormal = join('/', candidate) === `/${candidate}`;
    if (!clashes && isNormal) files.set(candidate, bytes);
  }
  return files;
}

import { createFsFromVolume, Volume } from 'memfs';
import { isSessionError } from '../../../src/errors.js';
import type { FileSystem } from '../../../src/file-system.js';
import { walkFiles } from '../../../src/profile/walk.js';
import { openRepository } from '../../../src/snapshot/repository/open-repository.js';
import type { SnapshotRepository } from '../../../src/snapshot/repository.js';
import { FileSystemStore } from '../../../src/stores/file-system-store.js';
import type { SessionStore } from '../../../src/stores/session-store.js';
import { inlineTaskRunner } from '../../../src/task.js';
import { Dice } from '../../support/dice.js';
import { captureTree, contextAt, readTree, sameTree, type TreeFiles } from './tree.js';
import { withoutPaths } from './without-paths.js';

export const DAMAGES = ['flip', 'truncate', 'swap', 'extend', 'exchange'] as const;
export type Damage = (typeof DAMAGES)[number];

export interface FuzzPlan {
  readonly cases: number;
  readonly seed: number;
  readonly onProgress?: (done: number) => void;
}

export interface FuzzReport {
  /** The number of each result, by kind of file and damage. */
  readonly rows: ReadonlyMap<string, Map<string, number>>;
  readonly violations: readonly string[];
}

interface Case {
  readonly fs: FileSystem;
  readonly contents: ReadonlyMap<string, TreeFiles>;
}

const STORE = '/store';
const MAX_TRIES = 1000;
const TIMES = ['2026-11-23T05:14:09.123Z', '2026-11-23T05:16:09.123Z'] as const;

/** Damages one stored file after the other, and checks whether a wrong byte is ever restored. */
export async function fuzz({ cases, seed, onProgress = () => undefined }: FuzzPlan): Promise<FuzzReport> {
  const dice = new Dice(seed);
  const prepared = await prepare(dice);
  const paths: string[] = [];
  for await (const { path } of walkFiles(prepared.fs, STORE, '')) paths.push(`${STORE}/${path}`);
  const rows = new Map<string, Map<string, number>>();
  const violations: string[] = [];
  for (let index = 0; index < cases; index++) {
    const { path, damage, before, after } = await nextDamage(prepared.fs, paths, dice);
    await prepared.fs.promises.writeFile(path, after);
    const outcome = await judge(prepared, dice.below(2) === 0);
    await prepared.fs.promises.writeFile(path, before);
    if (outcome.startsWith('VIOLATION')) violations.push(`case ${index}, ${damage} of ${path}: ${outcome}`);
    const key = `${kindOf(path)} ${damage}`;
    const row = rows.get(key) ?? new Map<string, number>();
    const column = outcome.startsWith('VIOLATION') ? 'violation' : outcome;
    row.set(column, (row.get(column) ?? 0) + 1);
    rows.set(key, row);
    onProgress(index + 1);
  }
  return { rows, violations };
}

/** The next damage that has an effect: an empty file can't be cut, and swapping two equal bytes changes nothing. */
async function nextDamage(fs: FileSystem, paths: readonly string[], dice: Dice) {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const path = dice.pick(paths);
    const damage = dice.pick(DAMAGES);
    const before = (await fs.promises.readFile(path)) as Buffer;
    const other = (await fs.promises.readFile(dice.pick(paths))) as Buffer;
    const after = damaged(before, damage, dice, other);
    if (!before.equals(after)) return { path, damage, before, after };
  }
  throw new Error('no damage changes anything');
}

/** Makes two saves in a folder, two in packs, and two backups of a small profile with tables, logs, an empty file and a blob. */
async function prepare(dice: Dice): Promise<Case> {
  const fs = createFsFromVolume(new Volume()) as unknown as FileSystem;
  const contents = new Map<string, TreeFiles>();
  const folder = 'Default/IndexedDB/https_web.whatsapp.com_0.indexeddb.leveldb';
  const table = dice.bytes(900);
  const log = dice.bytes(20_000);
  for (const [round, at] of TIMES.entries()) {
    const files = new Map<string, Uint8Array>([
      [`${folder}/CURRENT`, Buffer.from('MANIFEST-000001\n')],
      [`${folder}/000005.ldb`, table],
      [`${folder}/000006.log`, Buffer.alloc(600, `generation ${round} `)],
      [`${folder}/000007.log`, Buffer.alloc(0)],
      [`${folder}/000008.log`, Buffer.concat([log, Buffer.alloc(round * 700, 'written on ')])],
      ['Default/Local Storage/leveldb/000003.log', dice.bytes(300)],
    ]);
    for (const [index, repository] of repositories(fs, false, true).entries()) {
      const tree = await captureTree(fs, `/captured/${index}-${round}`, files);
      const result = await repository.create(tree, contextAt(at));
      if ('skipped' in result) throw new Error('nothing was created');
      contents.set(result.snapshot.id, files);
    }
  }
  return { fs, contents };
}

/** @param packs whether the second one is remote in any case, so that it puts packs */
function repositories(fs: FileSystem, remote: boolean, packs = false): readonly SnapshotRepository[] {
  const shared = { fs, clientId: 'shop', runner: inlineTaskRunner(fs) };
  const open = (root: string, isRemote = remote): SessionStore => {
    const store = new FileSystemStore(root, { fs });
    return isRemote ? withoutPaths(store) : store;
  };
  return [
    openRepository({ kind: 'save' }, { ...shared, store: open(`${STORE}/saves`) }),
    openRepository({ kind: 'save' }, { ...shared, store: open(`${STORE}/packed`, remote || packs) }),
    openRepository(
      { kind: 'backup', stagingDirectory: '/staging' },
      { ...shared, store: open(`${STORE}/backups`) },
    ),
  ];
}

function damaged(bytes: Buffer, damage: Damage, dice: Dice, other: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const at = () => dice.below(Math.max(1, copy.length));
  switch (damage) {
    case 'flip': {
      if (copy.length === 0) return copy;
      const index = at();
      copy[index] = (copy[index] ?? 0) ^ (1 + dice.below(255));
      return copy;
    }
    case 'truncate':
      return copy.subarray(0, dice.below(copy.length + 1));
    case 'swap': {
      if (copy.length === 0) return copy;
      const [one, two] = [at(), at()];
      [copy[one], copy[two]] = [copy[two] ?? 0, copy[one] ?? 0];
      return copy;
    }
    case 'extend':
      return Buffer.concat([copy, dice.bytes(1 + dice.below(40))]);
    case 'exchange':
      return Buffer.from(other);
  }
}

/**
 * Restores everything that is listed. Each restore must give exactly the saved bytes, or a typed error.
 *
 * A snapshot that passes its verification must be restorable, and a snapshot that fails it must not be.
 */
async function judge({ fs, contents }: Case, remote: boolean): Promise<string> {
  let outcome = 'no effect';
  const seen = new Set<string>();
  for (const repository of repositories(fs, remote)) {
    for (const { id } of await repository.list()) {
      seen.add(id);
      const verified = await refusalOf(repository.verify(id));
      const restored = await refusalOf(repository.restore(id, '/restored'));
      const tree = await readTree(fs, '/restored');
      await fs.promises.rm('/restored', { recursive: true, force: true });
      for (const refusal of [verified, restored]) {
        if (refusal?.startsWith('VIOLATION')) return refusal;
      }
      if (restored !== undefined && tree.size > 0) return 'VIOLATION refused, and files were left';
      if (restored === undefined && !sameTree(tree, contents.get(id) ?? new Map())) {
        return `VIOLATION ${id} came back with other bytes`;
      }
      if ((verified === undefined) !== (restored === undefined)) {
        return `VIOLATION verify(): ${verified ?? 'fine'}, restore(): ${restored ?? 'fine'}`;
      }
      if (restored !== undefined) outcome = restored;
    }
  }
  for (const path of await namesBelow(fs, `${STORE}/saves/shop/verified`)) await fs.promises.rm(path);
  for (const path of await namesBelow(fs, `${STORE}/backups/shop/verified`)) await fs.promises.rm(path);
  return seen.size < contents.size ? 'not listed' : outcome;
}

async function refusalOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    const code = isSessionError(error) ? error.code : '';
    return code === 'SNAPSHOT_CORRUPT' || code === 'SNAPSHOT_UNSAFE' ? code : `VIOLATION untyped: ${error}`;
  }
}

async function namesBelow(fs: FileSystem, folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { path } of walkFiles(fs, folder, '')) names.push(`${folder}/${path}`);
  return names;
}

function kindOf(path: string): string {
  if (path.endsWith('.zip')) return 'zip';
  if (path.endsWith('.pack')) return 'pack';
  return path.endsWith('.json') ? 'manifest' : 'object';
}

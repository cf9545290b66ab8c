import { appendFile, cp, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ESSENTIAL_PATHS } from '../../../src/profile/essential-files.js';
import type { Dice } from '../../support/dice.js';
import {
  DATABASE_NAMES,
  DATABASES,
  type DatabaseName,
  DatabaseOnDisk,
  type FileKind,
  fragmentStarts,
  recordStarts,
} from './database.js';

export interface Scene {
  /** The profile to damage. */
  readonly profileDir: string;
  /** An undamaged profile of another login. */
  readonly otherDir: string;
  /** The same profile as it was after its first run. */
  readonly olderDir: string;
  readonly dice: Dice;
}

export interface Damage {
  readonly name: string;
  /** Whether a whole other login lies in place afterwards: that is no damage, so it is used as it is. */
  readonly isOtherLogin?: boolean;
  /** Makes the damage and returns which file it damaged. */
  readonly apply: (scene: Scene) => Promise<string>;
}

/** Every damage of docs/chromium-facts.md F1.8, and those by a killed copy, a mix-up of files or a failing disk. */
export function allDamages(): Damage[] {
  return [...DATABASE_NAMES.flatMap(damagesOfOne), ...damagesOfBoth(), ...damagesOfTheProfile()];
}

/** The damages for a Local Storage that never had a table: all data is in its log, and its MANIFEST names no table. */
export function damagesOfYoungLocalStorage(): Damage[] {
  return damagesOfOne('Local Storage')
    .filter(({ name }) => !name.includes('table'))
    .map((damage) => ({ ...damage, name: `young ${damage.name}` }));
}

function damagesOfOne(database: DatabaseName): Damage[] {
  /** Makes a damage to the newest file of a kind. */
  const to = (
    kind: FileKind,
    what: string,
    work: (db: DatabaseOnDisk, file: string, scene: Scene) => Promise<unknown>,
  ): Damage => ({
    name: `${database}: ${kind} ${what}`,
    apply: async (scene) => {
      const db = new DatabaseOnDisk(scene.profileDir, database);
      const file = await db.newest(kind);
      await work(db, file, scene);
      return `${database}/${file}`;
    },
  });
  const toFolder = (what: string, work: (db: DatabaseOnDisk, scene: Scene) => Promise<unknown>): Damage => ({
    name: `${database}: ${what}`,
    apply: async (scene) => {
      await work(new DatabaseOnDisk(scene.profileDir, database), scene);
      return `${database}/`;
    },
  });
  const otherOf = ({ otherDir }: Scene) => new DatabaseOnDisk(otherDir, database);
  const kinds: readonly FileKind[] = ['CURRENT', 'MANIFEST', 'table', 'log'];

  return [
    ...kinds.flatMap((kind) => [
      to(kind, 'deleted', (db, file) => rm(db.path(file))),
      to(kind, 'emptied', (db, file) => truncate(db.path(file))),
      to(kind, 'overwritten with garbage', (db, file) => writeFile(db.path(file), 'garbage\n')),
      to(kind, 'zeroed', (db, file) => db.change(file, (bytes) => bytes.fill(0))),
      to(kind, 'halved', (db, file) => db.cutTo(file, (size) => Math.floor(size / 2))),
      to(kind, 'replaced by a folder', async (db, file) => {
        await rm(db.path(file));
        await mkdir(db.path(file));
      }),
      to(kind, 'of another login in its place', async (db, file, scene) => {
        const other = otherOf(scene);
        await cp(other.path(await other.newest(kind)), db.path(file));
      }),
    ]),
    to('CURRENT', 'dangling', (db, file) => writeFile(db.path(file), 'MANIFEST-999999\n')),
    ...(['MANIFEST', 'log'] as const).flatMap((kind) => [
      to(kind, 'cut before its last record', (db, file) => cutBeforeLastRecord(db, file)),
      to(kind, 'zeroed from its last record on', async (db, file) => {
        const start = recordStarts(await db.read(file)).at(-1) ?? 0;
        await db.change(file, (bytes) => bytes.fill(0, start));
      }),
      to(kind, "with its last record's length raised", (db, file) =>
        db.change(file, (bytes) => {
          const at = fragmentStarts(bytes).starts.at(-1) ?? 0;
          bytes.writeUInt16LE(bytes.readUInt16LE(at + 4) + 1, at + 4);
        }),
      ),
      to(kind, 'zeroed in the middle', (db, file) =>
        db.change(file, (bytes) => bytes.fill(0, Math.floor(bytes.length / 3), Math.floor(bytes.length / 2))),
      ),
    ]),
    toFolder('oldest table deleted', async (db) => rm(db.path((await db.names('table'))[0] ?? ''))),
    toFolder('all tables emptied', async (db) => {
      for (const name of await db.names('table')) await truncate(db.path(name));
    }),
    to('table', 'with 100 bytes zeroed', (db, file, { dice }) =>
      db.change(file, (bytes) => {
        const from = dice.below(bytes.length - 200);
        bytes.fill(0, from, from + 100);
      }),
    ),
    to('table', 'short of its last bytes', (db, file) => db.cutTo(file, (size) => size - 10)),
    to('table', 'longer than it was', (db, file) => db.cutTo(file, (size) => size + 100)),
    toFolder('two tables swapped', async (db, { dice }) => {
      const [a, b] = dice.shuffled(await db.names('table'));
      if (a === undefined || b === undefined) throw new Error('two tables are needed to swap them');
      const [bytesA, bytesB] = [await db.read(a), await db.read(b)];
      await writeFile(db.path(a), bytesB);
      await writeFile(db.path(b), bytesA);
    }),
    toFolder("the other database's log over its own", async (db, { profileDir }) => {
      const name = database === 'IndexedDB' ? 'Local Storage' : 'IndexedDB';
      const foreign = new DatabaseOnDisk(profileDir, name);
      await cp(foreign.path(await foreign.newest('log')), db.path(await db.newest('log')));
    }),
    to('log', 'and a newer one of another login', async (db, _, scene) => {
      // LevelDB replays every log in the folder, and this log is undamaged.
      const other = otherOf(scene);
      await cp(other.path(await other.newest('log')), db.path('000999.log'));
    }),
    to('log', 'and a newer one of garbage', (db) => writeFile(db.path('000999.log'), 'x'.repeat(5000))),
    toFolder('folder of another login in its place', async (db, scene) => {
      await rm(db.folder, { recursive: true });
      await cp(otherOf(scene).folder, db.folder, { recursive: true });
    }),
    toFolder('folder emptied', async (db) => {
      for (const name of await readdir(db.folder)) await rm(db.path(name), { recursive: true });
    }),
    toFolder('folder deleted', (db) => rm(db.folder, { recursive: true })),
    toFolder('folder replaced by a file', (db) => replaceByFile(db.folder)),
    toFolder("folder's parent deleted", (db) => rm(dirname(db.folder), { recursive: true })),
    toFolder("folder's parent replaced by a file", (db) => replaceByFile(dirname(db.folder))),
    toFolder('every file emptied', (db) => emptyAll(db.folder)),
    toFolder('half of its files missing', (db, { dice }) => dropHalf([db], dice)),
  ];
}

function damagesOfBoth(): Damage[] {
  const both = ({ profileDir }: Scene) => DATABASE_NAMES.map((name) => new DatabaseOnDisk(profileDir, name));
  const toBoth = (
    what: string,
    work: (databases: DatabaseOnDisk[], scene: Scene) => Promise<unknown>,
  ): Damage => ({
    name: `both: ${what}`,
    apply: async (scene) => {
      await work(both(scene), scene);
      return 'both databases';
    },
  });
  return [
    toBoth('half of the files missing', (databases, { dice }) => dropHalf(databases, dice)),
    toBoth('what a killed copy leaves', async (databases) => {
      // An interrupted copy in the order of the folder: first whole files, then half a file, then none.
      const files: string[] = [];
      for (const db of databases)
        for (const name of (await readdir(db.folder)).sort()) files.push(db.path(name));
      const reached = Math.floor(files.length / 2);
      for (const [index, file] of files.entries()) {
        if (index === reached) await truncate(file, Math.floor((await stat(file)).size / 2));
        if (index > reached) await rm(file);
      }
    }),
    toBoth('every file emptied', async (databases) => {
      for (const db of databases) await emptyAll(db.folder);
    }),
    toBoth('CURRENT garbage', async (databases) => {
      for (const db of databases) await writeFile(db.path('CURRENT'), 'garbage');
    }),
    toBoth('folders exchanged', async ([a, b]) => {
      if (a === undefined || b === undefined) return;
      await cp(a.folder, `${a.folder}.moved`, { recursive: true });
      await rm(a.folder, { recursive: true });
      await cp(b.folder, a.folder, { recursive: true });
      await rm(b.folder, { recursive: true });
      await cp(`${a.folder}.moved`, b.folder, { recursive: true });
      await rm(`${a.folder}.moved`, { recursive: true });
    }),
    toBoth('an older copy of their own laid over them', async (databases, { olderDir }) => {
      // Like an archive that is unpacked over a profile: files with the same name are replaced, all others stay.
      for (const db of databases)
        await cp(join(olderDir, DATABASES[db.name]), db.folder, { recursive: true });
    }),
    toBoth('an older copy of their own in their place', async (databases, { olderDir }) => {
      for (const db of databases) {
        await rm(db.folder, { recursive: true });
        await cp(join(olderDir, DATABASES[db.name]), db.folder, { recursive: true });
      }
    }),
    {
      ...toBoth('those of another login in their place', async (databases, { otherDir }) => {
        for (const db of databases) {
          await rm(db.folder, { recursive: true });
          await cp(join(otherDir, DATABASES[db.name]), db.folder, { recursive: true });
        }
      }),
      isOtherLogin: true,
    },
  ];
}

function damagesOfTheProfile(): Damage[] {
  const to = (
    path: string,
    what: string,
    work: (target: string, scene: Scene) => Promise<unknown>,
  ): Damage => ({
    name: `profile: ${path === '' ? 'folder' : path} ${what}`,
    apply: async (scene) => {
      await work(join(scene.profileDir, path), scene);
      return path === '' ? 'the profile' : path;
    },
  });
  return ['', 'Default'].flatMap((path) => [
    to(path, 'deleted', (target) => rm(target, { recursive: true })),
    to(path, 'replaced by a file', (target) => replaceByFile(target)),
    to(path, 'emptied', async (target) => {
      await rm(target, { recursive: true });
      await mkdir(target);
    }),
    to(path, 'with every file emptied', (target) => emptyAll(target)),
    {
      ...to(path, 'of another login in its place', async (target, { otherDir }) => {
        await rm(target, { recursive: true });
        await cp(join(otherDir, path), target, { recursive: true, verbatimSymlinks: true });
      }),
      isOtherLogin: true,
    },
  ]);
}

/** Damages to the files of large values (docs/chromium-facts.md F1.10); the database that names them is intact. */
export function damagesOfBlobs(): Damage[] {
  const folderIn = (profileDir: string) => join(profileDir, ESSENTIAL_PATHS.indexedDbBlobs);
  const toFolder = (what: string, work: (folder: string, scene: Scene) => Promise<unknown>): Damage => ({
    name: `blobs: ${what}`,
    apply: async (scene) => {
      await work(folderIn(scene.profileDir), scene);
      return 'blobs/';
    },
  });
  const toOne = (what: string, work: (path: string, another: string) => Promise<unknown>): Damage => ({
    name: `blobs: one ${what}`,
    apply: async ({ profileDir, dice }) => {
      const [one, another] = dice.shuffled(await filesBelow(folderIn(profileDir)));
      if (one === undefined || another === undefined) throw new Error('the profile needs two blobs');
      await work(one, another);
      return `blobs/${basename(one)}`;
    },
  });
  return [
    toOne('deleted', (path) => rm(path)),
    toOne('emptied', (path) => truncate(path)),
    toOne('halved', async (path) => truncate(path, Math.floor((await stat(path)).size / 2))),
    toOne('longer than it was', (path) => appendFile(path, 'more')),
    toOne('with a byte changed', async (path) => {
      const bytes = await readFile(path);
      bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 1;
      await writeFile(path, bytes);
    }),
    toOne('in the place of another', (path, another) => cp(path, another)),
    toFolder('folder deleted', (folder) => rm(folder, { recursive: true })),
    toFolder('folder emptied', async (folder) => {
      for (const path of await filesBelow(folder)) await rm(path);
    }),
    toFolder('folder replaced by a file', (folder) => replaceByFile(folder)),
    toFolder('folder of another login in its place', async (folder, { otherDir }) => {
      await rm(folder, { recursive: true });
      await cp(folderIn(otherDir), folder, { recursive: true });
    }),
  ];
}

async function cutBeforeLastRecord(db: DatabaseOnDisk, file: string): Promise<void> {
  const start = recordStarts(await db.read(file)).at(-1) ?? 0;
  await db.cutTo(file, () => start);
}

async function dropHalf(databases: readonly DatabaseOnDisk[], dice: Dice): Promise<void> {
  const files: string[] = [];
  for (const db of databases) for (const name of await db.names()) files.push(db.path(name));
  for (const file of dice.shuffled(files).slice(0, Math.ceil(files.length / 2))) await rm(file);
}

async function replaceByFile(path: string): Promise<void> {
  await rm(path, { recursive: true });
  await writeFile(path, 'this was a folder once');
}

async function emptyAll(folder: string): Promise<void> {
  for (const path of await filesBelow(folder)) await truncate(path);
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

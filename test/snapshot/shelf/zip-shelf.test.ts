import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, promises as realFs, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemFileSystem } from '../../../src/file-system.js';
import { parseManifest } from '../../../src/snapshot/manifest/manifest.js';
import {
  type BackupFormat,
  openRepository,
  type RepositoryOptions,
} from '../../../src/snapshot/repository/open-repository.js';
import type { SnapshotRepository } from '../../../src/snapshot/repository.js';
import { writeZipTask } from '../../../src/snapshot/zip/zip-writer.js';
import { inlineTaskRunner } from '../../../src/task.js';
import { TinyLocalStore } from '../support/local-store.js';
import { TinyStore } from '../support/memory-store.js';
import { asText, LEVELDB, PROFILE, World } from '../support/world.js';

const run = promisify(execFile);
const unzip = ['/usr/bin/unzip', '/bin/unzip', '/usr/local/bin/unzip'].find((path) => existsSync(path));

class Backups {
  readonly world = new World();
  readonly store: TinyStore;
  readonly problems: string[] = [];
  repository: SnapshotRepository;

  constructor(store: (world: World) => TinyStore = () => new TinyStore()) {
    this.store = store(this.world);
    this.repository = this.open();
  }

  open({
    compression = 'fast',
    ...overrides
  }: Partial<RepositoryOptions> & Pick<BackupFormat, 'compression'> = {}): SnapshotRepository {
    const { fs, clock, runner } = this.world;
    const format: BackupFormat = { kind: 'backup', stagingDirectory: '/staging', compression };
    return openRepository(format, {
      ...{ store: this.store, clientId: 'shop', runner, fs, clock },
      onProblem: (id) => this.problems.push(id),
      ...overrides,
    });
  }

  async backup(overrides = {}) {
    this.world.now += 300_000;
    return this.repository.create(await this.world.capture(PROFILE), this.world.context(overrides));
  }

  async staged(): Promise<string[]> {
    return (await this.world.fs.promises.readdir('/staging').catch(() => [])) as string[];
  }
}

const local = (world: World) => new TinyLocalStore(world.fs, '/store');

describe('a backup', () => {
  it('is one zip whose name tells client, time and run, and leaves nothing in the staging folder', async () => {
    const backups = new Backups();
    const { snapshot } = await backups.backup();
    expect(backups.store.keys()).toEqual([`shop/shop_${snapshot.id}_run3.zip`]);
    expect(snapshot.id.startsWith('20261123T051909123Z-')).toBe(true);
    expect(await backups.staged()).toEqual([]);
  });

  it('stores tables, and deflates the rest unless all shall be small', async () => {
    const sizes = [];
    for (const compression of ['fast', 'small'] as const) {
      const backups = new Backups();
      backups.repository = backups.open({ compression });
      const { snapshot } = await backups.backup();
      sizes.push(snapshot.storedBytes);
      await backups.repository.restore(snapshot.id, '/out');
      expect(await backups.world.read('/out')).toEqual(asText(PROFILE));
    }
    expect(sizes[0]).toBeGreaterThan(70_000);
    expect(sizes[0]).toBeLessThan(73_000);
    expect(sizes[1]).toBeLessThan(5_000);
  });

  it('is listed from its first kilobytes, once per version', async () => {
    const backups = new Backups();
    for (let n = 0; n < 3; n += 1) await backups.backup({ lineage: `l${n}` });
    const fresh = backups.open();
    backups.store.delivered = 0;
    expect(await fresh.list()).toHaveLength(3);
    expect(backups.store.delivered).toBeLessThanOrEqual(3 * 65_536);
    backups.store.delivered = 0;
    await fresh.list();
    expect(backups.store.delivered).toBe(0);
  });

  it('is listed although its manifest is longer than the first read', async () => {
    const backups = new Backups();
    const many = Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`Default/file-${n}`, `${n % 5}`]));
    await backups.repository.create(await backups.world.capture(many), backups.world.context());
    expect((await backups.open().list())[0]?.files).toBe(900);
  });

  it('is found under any name ending in .zip: the zip alone is enough', async () => {
    const backups = new Backups();
    const { snapshot } = await backups.backup();
    const [key = ''] = backups.store.keys();
    const bytes = backups.store.objects.get(key)?.bytes ?? Buffer.alloc(0);
    const elsewhere = new Backups();
    elsewhere.store.set('shop/from the old machine.zip', bytes);
    elsewhere.store.set('shop/twice.zip', bytes);
    elsewhere.store.set('shop/other/deeper.zip', bytes);
    expect((await elsewhere.repository.list()).map(({ id }) => id)).toEqual([snapshot.id]);
    await elsewhere.repository.restore(snapshot.id, '/out');
    expect(await elsewhere.world.read('/out')).toEqual(asText(PROFILE));
    expect((await elsewhere.repository.remove([snapshot.id])).removed).toEqual([snapshot.id]);
    expect(elsewhere.store.keys()).toEqual(['shop/other/deeper.zip']);
  });

  it.each([
    ['no zip at all', Buffer.from('hello')],
    ['another zip', Buffer.from('PK\x03\x04 and so on, for more than thirty bytes', 'latin1')],
    ['empty', Buffer.alloc(0)],
  ])('that is %s is reported and not listed', async (_what, bytes) => {
    const backups = new Backups();
    backups.store.set('shop/strange.zip', bytes);
    expect(await backups.repository.list()).toEqual([]);
    expect(backups.problems).toEqual(['strange.zip']);
  });

  it('is told as unreadable, and can be removed, where its name is that of a backup: others are not ours', async () => {
    const backups = new Backups();
    const { snapshot } = await backups.backup();
    const [key = ''] = backups.store.keys();
    const { bytes } = backups.store.objects.get(key) ?? { bytes: Buffer.alloc(0) };
    const torn = key.replace('.zip', ' (copy).zip');
    backups.store.set(torn, bytes.subarray(0, 100));
    backups.store.set('shop/photos.zip', Buffer.from('hello'));
    const another = new Backups();
    await another
      .open({ clientId: 'other' })
      .create(await another.world.capture(PROFILE), another.world.context({ clientId: 'other' }));
    for (const [name, { bytes: whole }] of another.store.objects) {
      backups.store.set(name.replace('other/', 'shop/'), whole);
    }
    expect(await backups.repository.unreadable()).toMatchObject([{ key: torn, id: snapshot.id }]);
    expect((await backups.repository.removeUnreadable([torn])).removed).toEqual([snapshot.id]);
    expect(backups.store.keys()).toHaveLength(3);
    expect(await backups.repository.list()).toHaveLength(1);
  });

  it('that was cut off is not listed where that costs nothing to see', async () => {
    const backups = new Backups(local);
    const { snapshot } = await backups.backup();
    const [key = ''] = backups.store.keys();
    const bytes = backups.store.objects.get(key)?.bytes ?? Buffer.alloc(0);
    await backups.store.put(key, bytes.subarray(0, bytes.length - 100));
    expect(await backups.open().list()).toEqual([]);
    expect(backups.problems).toEqual([snapshot.id]);
  });

  it('whose bytes have rotted fails its verification and its restore, naming the file', async () => {
    for (const place of [undefined, local]) {
      const backups = new Backups(place);
      const { snapshot } = await backups.backup();
      const [key = ''] = backups.store.keys();
      const bytes = backups.store.objects.get(key)?.bytes ?? Buffer.alloc(0);
      const offset = bytes.indexOf('tabletable') + 5_000;
      if (backups.store instanceof TinyLocalStore) await backups.store.rotFile(key, offset);
      else backups.store.rot(key, offset);
      await expect(backups.repository.verify(snapshot.id)).rejects.toThrow(`${LEVELDB}/000005.ldb`);
      await expect(backups.repository.restore(snapshot.id, '/out')).rejects.toMatchObject({
        code: 'SNAPSHOT_CORRUPT',
        message: expect.stringContaining('000005.ldb') as string,
      });
      expect(await backups.world.read('/out')).toBeUndefined();
    }
  });

  it('that vanishes between listing and reading is not found, or is no longer listed', async () => {
    const backups = new Backups(local);
    const { snapshot } = await backups.backup();
    const [key = ''] = backups.store.keys();
    await (backups.store as TinyLocalStore).loseFile(key);
    await expect(backups.repository.restore(snapshot.id, '/out')).rejects.toMatchObject({
      code: 'SNAPSHOT_NOT_FOUND',
    });
    expect(await backups.open().list()).toEqual([]);
  });

  it('that is replaced by another while it is read is not taken for itself', async () => {
    const backups = new Backups();
    const first = await backups.backup();
    const second = await backups.backup({ lineage: 'l2' });
    const keyOf = (id: string) => `shop/shop_${id}_run3.zip`;
    const other = backups.store.objects.get(keyOf(second.snapshot.id));
    const own = backups.store.objects.get(keyOf(first.snapshot.id));
    backups.store.set(keyOf(first.snapshot.id), other?.bytes ?? Buffer.alloc(0), own?.version);
    await expect(backups.repository.restore(first.snapshot.id, '/out')).rejects.toThrow(/replaced/);
    expect(await backups.world.read('/out')).toBeUndefined();
  });

  it('is stopped when a store sends more than it listed', async () => {
    const backups = new Backups();
    const { snapshot } = await backups.backup();
    const get = backups.store.get.bind(backups.store);
    backups.store.get = async (key) => {
      backups.store.set(key, Buffer.alloc(500_000));
      return get(key);
    };
    await expect(backups.repository.restore(snapshot.id, '/out')).rejects.toMatchObject({ code: 'STORE' });
    expect(await backups.staged()).toEqual([]);
  });

  it('can not hold a file with the name of its manifest', async () => {
    const backups = new Backups();
    const tree = await backups.world.capture({ 'Manifest.json': '{}' });
    await expect(backups.repository.create(tree, backups.world.context())).rejects.toMatchObject({
      code: 'SNAPSHOT_UNSAFE',
    });
  });

  it('fails and cleans up when a captured file vanishes while the zip is written', async () => {
    const backups = new Backups();
    const tree = await backups.world.capture(PROFILE);
    const { fs } = backups.world;
    const inline = inlineTaskRunner(fs);
    const runner: typeof inline = {
      ...inline,
      async run(task, input, options) {
        const isWriting = task.name === writeZipTask.name;
        if (isWriting) await fs.promises.rm(tree.directory, { recursive: true });
        return inline.run(task, input, options);
      },
    };
    backups.repository = backups.open({ runner });
    await expect(backups.repository.create(tree, backups.world.context())).rejects.toMatchObject({
      code: 'ENOENT',
    });
    expect(await backups.staged()).toEqual([]);
    expect(await backups.repository.list()).toEqual([]);
  });

  it('sweeps what a crash left in the staging folder, and nothing of others or in use', async () => {
    const backups = new Backups();
    expect(await backups.repository.sweep()).toEqual({ freedBytes: 0, files: 0 });
    await backups.world.fs.promises.mkdir('/staging');
    await backups.world.fs.promises.writeFile('/staging/old.zip.partial', 'abc');
    await backups.world.fs.promises.writeFile('/staging/mine.txt', 'abc');
    const other = backups.open();
    let swept: Promise<unknown> | undefined;
    backups.store.onCall = (call) => {
      if (call === 'put') swept ??= other.sweep();
    };
    const { snapshot } = await backups.backup();
    expect(await swept).toEqual({ freedBytes: 3, files: 1 });
    expect(await backups.staged()).toEqual(['mine.txt']);
    await backups.repository.verify(snapshot.id);
  });
});

describe('on a real disk', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'wps-zip-'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  async function realBackup() {
    const directory = join(home, 'capture');
    const files = [];
    for (const [path, content] of Object.entries(PROFILE)) {
      await realFs.mkdir(dirname(join(directory, path)), { recursive: true });
      await realFs.writeFile(join(directory, path), content);
      const size = Buffer.byteLength(content);
      files.push({ path, size, source: { size, mtimeNs: '1', inode: '1' } });
    }
    const store = new TinyLocalStore(systemFileSystem, join(home, 'store'));
    const fs = systemFileSystem;
    const repository = openRepository(
      { kind: 'backup', stagingDirectory: join(home, 'staging') },
      { store, clientId: 'shop', runner: inlineTaskRunner(fs), fs },
    );
    const { snapshot } = await repository.create({ directory, files }, new World().context());
    const [key = ''] = store.keys();
    return { repository, snapshot, path: store.localPath(key) };
  }

  it('the zip passes `unzip -t` and unpacks into a user-data-dir by hand', async () => {
    const { path } = await realBackup();
    // Without the program there is nothing to ask; the same zip is unpacked by the library below.
    if (unzip === undefined) return;
    const { stdout } = await run(unzip, ['-t', path]);
    expect(stdout).toContain('No errors detected');
    await run(unzip, ['-q', path, '-d', join(home, 'by-hand')]);
    for (const [name, content] of Object.entries(PROFILE)) {
      expect((await realFs.readFile(join(home, 'by-hand', name))).equals(Buffer.from(content))).toBe(true);
    }
    const manifest = await realFs.readFile(join(home, 'by-hand', 'manifest.json'));
    expect(parseManifest(manifest).clientId).toBe('shop');
  });

  it('restores the same files with owner-only modes', async () => {
    const { repository, snapshot } = await realBackup();
    const out = join(home, 'restored');
    await repository.restore(snapshot.id, out);
    for (const [name, content] of Object.entries(PROFILE)) {
      expect((await realFs.readFile(join(out, name))).equals(Buffer.from(content))).toBe(true);
      expect((await realFs.stat(join(out, name))).mode & 0o777).toBe(0o600);
    }
    expect((await realFs.stat(join(out, 'Default'))).mode & 0o777).toBe(0o700);
  });
});

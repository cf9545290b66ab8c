import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StoreError } from '../../../src/errors.js';
import { SignatureCache } from '../../../src/snapshot/hashing/tree-hasher.js';
import { openRepository } from '../../../src/snapshot/repository/open-repository.js';
import type { SnapshotRepository } from '../../../src/snapshot/repository.js';
import type { SessionStore } from '../../../src/stores/session-store.js';
import type { TaskRunner } from '../../../src/task.js';
import { holderOf } from '../support/holder-of.js';
import { sha256, TinyLocalStore } from '../support/local-store.js';
import { TinyStore } from '../support/memory-store.js';
import { asText, type Files, LEVELDB, PROFILE, World } from '../support/world.js';

const LOG = 'Default/Local Storage/leveldb/000003.log';
const TABLE = `${LEVELDB}/000005.ldb`;

function objectKey(content: string | Uint8Array): string {
  const sum = sha256(content);
  return `shop/objects/${sum.slice(0, 2)}/${sum}`;
}

const tableKey = objectKey(PROFILE[TABLE] ?? '');
const COMPACTED = Buffer.alloc(70_000, 'compacted');
const COMPACTED_AGAIN = Buffer.alloc(70_000, 'compacted again');

class Saves {
  readonly world = new World();
  readonly store: TinyStore;
  readonly problems: string[] = [];
  repository: SnapshotRepository;

  constructor(store: (world: World) => TinyStore = () => new TinyStore()) {
    this.store = store(this.world);
    this.repository = this.open();
  }

  open(runner: TaskRunner = this.world.runner): SnapshotRepository {
    const { fs, clock } = this.world;
    const onProblem = (id: string) => void this.problems.push(id);
    const store: SessionStore = this.store;
    return openRepository({ kind: 'save' }, { store, clientId: 'shop', runner, fs, clock, onProblem });
  }

  async save(files: Files = PROFILE) {
    this.world.now += 120_000;
    return this.repository.create(await this.world.capture(files), this.world.context());
  }
}

const local = (world: World) => new TinyLocalStore(world.fs, '/store');

describe('a save', () => {
  it('puts each content once, and the manifest last', async () => {
    const saves = new Saves(local);
    const puts: string[] = [];
    saves.store.onCall = (call, key) => void (call === 'put' && puts.push(key));
    const { snapshot } = await saves.save();
    expect(puts.at(-1)).toBe(`shop/snapshots/${snapshot.id}.json`);
    const stored = Object.values(PROFILE).filter((content) => content.length > 0);
    const contents = new Set(stored.map((content) => objectKey(content)));
    expect(new Set(puts.slice(0, -1))).toEqual(contents);
    expect(puts).toHaveLength(contents.size + 1);
  });

  it('puts them together into one object of a remote store, each once, and the manifest last', async () => {
    const saves = new Saves();
    const puts: string[] = [];
    saves.store.onCall = (call, key) => void (call === 'put' && puts.push(key));
    const { snapshot } = await saves.save();
    expect(puts).toEqual([
      expect.stringMatching(/^shop\/objects\/packs\/[0-9a-f]{64}\.pack$/),
      `shop/snapshots/${snapshot.id}.json`,
    ]);
    const bytes = new Set(Object.values(PROFILE).map((content) => Buffer.from(content).toString('latin1')));
    const pack = saves.store.objects.get(puts[0] ?? '')?.bytes ?? Buffer.alloc(0);
    expect(pack).toHaveLength([...bytes].join('').length);
    expect(sha256(pack)).toBe(puts[0]?.slice('shop/objects/packs/'.length, -'.pack'.length));
  });

  it('reads and writes only what changed', async () => {
    const saves = new Saves();
    const hashed: string[] = [];
    const counting: TaskRunner = {
      run: (task, input, options) => {
        hashed.push(...((input as { paths?: string[] }).paths ?? []));
        return saves.world.runner.run(task, input, options);
      },
      close: async () => undefined,
    };
    saves.repository = saves.open(counting);
    await saves.save();
    hashed.length = 0;
    const puts: string[] = [];
    saves.store.onCall = (call, key) => void (call === 'put' && puts.push(key));
    const result = await saves.save({ ...PROFILE, [LOG]: 'grown' });
    expect(hashed.map((path) => path.split('/').slice(3).join('/'))).toEqual([LOG]);
    expect(puts.filter((key) => key.includes('/objects/'))).toEqual([
      `shop/objects/packs/${sha256('grown')}.pack`,
    ]);
    expect(result).toMatchObject({ snapshot: { sizeBytes: expect.any(Number) as number } });
    if (!('bytesWritten' in result)) throw new Error('skipped');
    expect(result.bytesWritten).toBe(result.snapshot.storedBytes);
    expect(result.snapshot.storedBytes).toBeLessThan(5_000);
  });

  it('counts a shared object for the snapshot that added it, so that all together are what is stored', async () => {
    const saves = new Saves();
    await saves.save();
    await saves.save({ ...PROFILE, [LOG]: 'grown' });
    const total = (await saves.repository.list()).reduce((sum, { storedBytes }) => sum + storedBytes, 0);
    const stored = [...saves.store.objects.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(total).toBe(stored);
  });

  it('reads everything anew after a failed one', async () => {
    const saves = new Saves();
    const signatures = new SignatureCache();
    const tree = await saves.world.capture(PROFILE);
    signatures.remember(tree, [{ path: TABLE, size: 70_000, sha256: 'a'.repeat(64) }]);
    const { fs, runner, clock } = saves.world;
    const options = { store: saves.store, clientId: 'shop', runner, fs, clock, signatures };
    const repository = openRepository({ kind: 'save' }, options);
    await expect(repository.create(tree, saves.world.context())).rejects.toMatchObject({
      code: 'SNAPSHOT_CORRUPT',
      retryable: true,
    });
    expect(saves.store.keys().filter((key) => key.includes('aaaaaaaa'))).toEqual([]);
    const { snapshot } = await repository.create(tree, saves.world.context());
    await repository.verify(snapshot.id);
  });

  it('shares what it knows of the files with the backups', async () => {
    const saves = new Saves();
    const { fs, runner, clock } = saves.world;
    const signatures = new SignatureCache();
    const common = { store: saves.store, clientId: 'shop', fs, clock, signatures };
    await openRepository({ kind: 'save' }, { ...common, runner }).create(
      await saves.world.capture(PROFILE),
      saves.world.context(),
    );
    const tasks: string[] = [];
    const watched: TaskRunner = {
      run: (task, input, options) => {
        tasks.push(task.name);
        return runner.run(task, input, options);
      },
      close: async () => undefined,
    };
    const backups = openRepository(
      { kind: 'backup', stagingDirectory: '/staging' },
      { ...common, runner: watched },
    );
    await backups.create(await saves.world.capture(PROFILE), saves.world.context());
    expect(tasks).toEqual(['snapshot:write-zip']);
  });

  it('does not take a file for unchanged that was copied while it grew', async () => {
    const cache = new SignatureCache();
    const file = { path: 'a', size: 3, source: { size: 5, mtimeNs: '1', inode: '1' } };
    cache.remember({ directory: '/x', files: [file] }, [{ path: 'a', size: 3, sha256: 'a'.repeat(64) }]);
    expect(cache.lookUp(file)).toBeUndefined();
    expect(cache.lookUp({ ...file, size: 5 })).toBeUndefined();
  });

  it('replaces an object of a wrong size', async () => {
    const saves = new Saves();
    saves.store.set(tableKey, Buffer.from('half a table'));
    const { snapshot } = await saves.save();
    await saves.repository.verify(snapshot.id);
  });

  it('heals the newest snapshot when an object of it was lost, although nothing changed', async () => {
    const saves = new Saves();
    const { snapshot } = await saves.save();
    saves.store.objects.delete(holderOf(saves.store, PROFILE[TABLE]).key);
    await expect(saves.repository.verify(snapshot.id)).rejects.toThrow(/000005.ldb .* missing/);
    expect(await saves.save()).toMatchObject({ skipped: 'unchanged' });
    await saves.repository.verify(snapshot.id);
  });

  it('heals an object that a verification found rotten', async () => {
    const saves = new Saves();
    const { snapshot } = await saves.save();
    const { key, at } = holderOf(saves.store, PROFILE[TABLE]);
    saves.store.rot(key, at);
    await expect(saves.repository.verify(snapshot.id)).rejects.toThrow(/000005.ldb .* SHA-256/);
    expect((await saves.repository.list())[0]?.verifiedAt).toBeUndefined();
    await saves.save();
    await saves.repository.verify(snapshot.id);
  });

  it('in a local folder, does not rest on an old object that has rotted', async () => {
    const saves = new Saves(local);
    await saves.save();
    await (saves.store as TinyLocalStore).rotFile(tableKey);
    saves.repository = saves.open();
    const { snapshot } = await saves.save({ ...PROFILE, [LOG]: 'grown' });
    await saves.repository.verify(snapshot.id);
  });

  it('is refused by a store that takes no object of such a size', async () => {
    const saves = new Saves();
    Object.assign(saves.store.capabilities, { maxObjectBytes: 1000 });
    await expect(saves.save()).rejects.toMatchObject({ code: 'STORE', retryable: false });
    expect(await saves.repository.list()).toEqual([]);
  });

  it('works with a store that has no conditional put', async () => {
    const saves = new Saves();
    Object.assign(saves.store.capabilities, { conditionalPut: false });
    const { fs, runner, clock } = saves.world;
    const drawn = ['same', 'same', 'other'];
    const randomness = () => drawn.shift() ?? 'more';
    const repository = openRepository(
      { kind: 'save' },
      {
        ...{ store: saves.store, clientId: 'shop', runner, fs, clock, randomness },
      },
    );
    const context = saves.world.context({ settled: false });
    await repository.create(await saves.world.capture(PROFILE), context);
    await repository.create(await saves.world.capture(PROFILE), { ...context, settled: true });
    expect(await repository.list()).toHaveLength(2);
  });

  it.each([
    ['the object of a file', { [TABLE]: PROFILE[TABLE] ?? '' }, /^shop\/objects\/42\//, '000005.ldb'],
    ['a pack', PROFILE, /^shop\/objects\/packs\//, 'shop/objects/packs/'],
  ])(
    'fails, and deletes %s, when the store keeps other bytes than it was given',
    async (_, files, damaged, named) => {
      const saves = new Saves();
      saves.store.onCall = (call, key) => {
        if (call === 'put:after' && damaged.test(key)) saves.store.rot(key);
      };
      await expect(saves.save(files)).rejects.toMatchObject({
        code: 'SNAPSHOT_CORRUPT',
        retryable: true,
        message: expect.stringContaining(named) as string,
      });
      expect(saves.store.keys().filter((key) => damaged.test(key))).toEqual([]);
      expect(await saves.repository.list()).toEqual([]);
    },
  );

  it('is not disturbed when a backup that fails meanwhile clears what both know of the files', async () => {
    const saves = new Saves();
    const signatures = new SignatureCache();
    const { fs, clock } = saves.world;
    const runner: TaskRunner = {
      run: (task, input, options) => {
        signatures.clear();
        return saves.world.runner.run(task, input, options);
      },
      close: async () => undefined,
    };
    const options = { store: saves.store, clientId: 'shop', runner, fs, clock, signatures };
    const repository = openRepository({ kind: 'save' }, options);
    const first = await saves.world.capture(PROFILE);
    await repository.create(first, saves.world.context());
    const second = await saves.world.capture({ ...PROFILE, [LOG]: 'grown' });
    const { snapshot } = await repository.create(second, saves.world.context());
    await repository.verify(snapshot.id);
  });
});

describe.each([
  ['a remote store', undefined, { [TABLE]: PROFILE[TABLE] ?? '' }],
  ['a local store', local, PROFILE],
] as const)('restoring a save from %s', (_where, store, files) => {
  it.each([
    ['rotten', /000005.ldb .* SHA-256/],
    ['missing', /000005.ldb .* missing/],
    ['too long', /000005.ldb .* larger/],
    ['too short', /000005.ldb .* bytes/],
  ])('names the file whose object is %s and leaves no folder', async (how, message) => {
    const saves = new Saves(store);
    const { snapshot } = await saves.save(files);
    expect(holderOf(saves.store, PROFILE[TABLE])).toMatchObject({ key: tableKey, at: 0 });
    const content = Buffer.from(PROFILE[TABLE] ?? '');
    if (how === 'missing') {
      if (saves.store instanceof TinyLocalStore) await saves.store.loseFile(tableKey);
      saves.store.objects.delete(tableKey);
    } else {
      const wrong = { rotten: Buffer.alloc(70_000), 'too long': Buffer.concat([content, content]) };
      await saves.store.put(tableKey, wrong[how as 'rotten'] ?? content.subarray(1));
    }
    await expect(saves.repository.restore(snapshot.id, '/out')).rejects.toMatchObject({
      code: 'SNAPSHOT_CORRUPT',
      message: expect.stringMatching(message) as string,
    });
    expect(await saves.world.read('/out')).toBeUndefined();
  });

  it('is the identity on odd trees (property)', async () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
      .map((text) => text.replace(/[\p{Cc}\p{Surrogate}<>:"|?*\\/]/gu, '_').normalize('NFC'))
      .map((text) => `f${text}x`);
    const content = fc.oneof(
      fc.constant(Buffer.alloc(0)),
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(20_000).map((size) => Buffer.alloc(size, 'z')),
    );
    const trees = fc
      .uniqueArray(fc.tuple(fc.array(name, { maxLength: 8 }), name, content), {
        minLength: 1,
        maxLength: 8,
        selector: ([, file]) => file.normalize('NFKC').toLowerCase(),
      })
      .map((entries) =>
        entries.map(
          ([folders, file, bytes], index) => [[`d${index}`, ...folders, file].join('/'), bytes] as const,
        ),
      );
    await fc.assert(
      fc.asyncProperty(trees, async (entries) => {
        const files = Object.fromEntries(entries);
        const saves = new Saves(store);
        const saved = await saves.save(files);
        await saves.repository.restore(saved.snapshot.id, '/out');
        expect(await saves.world.read('/out')).toEqual(asText(files));
        const { fs, runner, clock } = saves.world;
        const zips = { store: saves.store, clientId: 'shop', runner, fs, clock };
        const backups = openRepository({ kind: 'backup', stagingDirectory: '/staging' }, zips);
        const kept = await backups.create(await saves.world.capture(files), saves.world.context());
        await backups.restore(kept.snapshot.id, '/unzipped');
        expect(await saves.world.read('/unzipped')).toEqual(asText(files));
      }),
      { numRuns: 30 },
    );
  });
});

describe('reading from a remote store', () => {
  it('tells a transfer that broke from a snapshot that is damaged', async () => {
    const saves = new Saves();
    const { snapshot } = await saves.save();
    const holder = holderOf(saves.store, PROFILE[TABLE]).key;
    const get = saves.store.get.bind(saves.store);
    saves.store.get = async (key) => {
      const object = await get(key);
      if (object === undefined || key !== holder) return object;
      return { info: object.info, body: Readable.from([Buffer.alloc(10)]) };
    };
    await expect(saves.repository.restore(snapshot.id, '/out')).rejects.toMatchObject({
      code: 'STORE',
      retryable: true,
    });
    saves.store.get = async (key) => {
      const object = await get(key);
      if (key === holder) object?.body.destroy(new Error('connection reset'));
      return object;
    };
    await expect(saves.repository.restore(snapshot.id, '/out')).rejects.toMatchObject({ code: 'STORE' });
    await expect(saves.repository.verify(snapshot.id)).rejects.toMatchObject({ code: 'STORE' });
    expect(await saves.world.read('/out')).toBeUndefined();
  });

  it('lists a known snapshot without reading its manifest again', async () => {
    const saves = new Saves();
    await saves.save();
    await saves.repository.list();
    const before = saves.store.delivered;
    await saves.repository.list();
    expect(saves.store.delivered).toBe(before);
  });
});

describe('a manifest that can not be read', () => {
  it('is reported once, is not listed, and says why when asked for', async () => {
    const saves = new Saves();
    const { snapshot } = await saves.save();
    saves.store.set('shop/snapshots/20260101T000000000Z-00000000.json', Buffer.from('{"half'));
    expect((await saves.repository.list()).map(({ id }) => id)).toEqual([snapshot.id]);
    await saves.repository.list();
    expect(saves.problems).toEqual(['20260101T000000000Z-00000000']);
    await expect(saves.repository.manifest('20260101T000000000Z-00000000')).rejects.toMatchObject({
      code: 'SNAPSHOT_CORRUPT',
    });
  });

  it('keeps every object from the sweep until it is removed', async () => {
    const saves = new Saves();
    const { snapshot } = await saves.save();
    saves.store.set(`shop/snapshots/${snapshot.id}.json`, Buffer.from('{"half'));
    const before = saves.store.keys();
    expect(await saves.repository.sweep()).toEqual({ freedBytes: 0, files: 0 });
    expect(saves.store.keys()).toEqual(before);
    expect((await saves.repository.remove([snapshot.id])).removed).toEqual([snapshot.id]);
    expect((await saves.repository.sweep({ atOnce: true })).files).toBeGreaterThan(0);
    expect(saves.store.keys()).toEqual([]);
  });

  it('keeps no object that was put later: it can not need that', async () => {
    const saves = new Saves();
    const { snapshot } = await saves.save();
    saves.store.set(`shop/snapshots/${snapshot.id}.json`, Buffer.from('{"half'));
    const needed = holderOf(saves.store, PROFILE[TABLE]).key;
    saves.store.now += 3 * 3_600_000;
    const second = await saves.save({ ...PROFILE, [TABLE]: COMPACTED });
    const { key } = holderOf(saves.store, COMPACTED);
    const freedBytes = saves.store.objects.get(key)?.bytes.length;
    await saves.save({ ...PROFILE, [TABLE]: COMPACTED_AGAIN });
    await saves.repository.remove([second.snapshot.id]);
    expect(await saves.repository.sweep({ atOnce: true })).toEqual({ freedBytes, files: 1 });
    expect(saves.store.keys()).toContain(needed);
    expect(saves.store.keys()).not.toContain(key);
  });

  it('but only lies under another name is known to need what it names, and nothing else', async () => {
    const saves = new Saves();
    const first = await saves.save();
    const key = `shop/snapshots/${first.snapshot.id}`;
    const { bytes } = saves.store.objects.get(`${key}.json`) ?? { bytes: Buffer.alloc(0) };
    saves.store.set(`${key} (copy).json`, bytes);
    const needed = holderOf(saves.store, PROFILE[TABLE]).key;
    const second = await saves.save({ ...PROFILE, [TABLE]: COMPACTED });
    const useless = holderOf(saves.store, COMPACTED).key;
    const freedBytes = saves.store.objects.get(useless)?.bytes.length;
    await saves.save({ ...PROFILE, [TABLE]: COMPACTED_AGAIN });
    await saves.repository.remove([first.snapshot.id, second.snapshot.id]);
    expect(await saves.repository.sweep({ atOnce: true })).toEqual({ freedBytes, files: 1 });
    expect(saves.store.keys()).toContain(needed);
    expect(saves.store.keys()).not.toContain(useless);
    expect(await saves.repository.unreadable()).toEqual([]);
  });

  it('is told with its time, its bytes and what is wrong with it', async () => {
    const saves = new Saves();
    await saves.save();
    const named = 'shop/snapshots/20260101T000000000Z-00000000.json';
    const nameless = 'shop/snapshots/notes.json';
    saves.store.now = Date.parse('2026-02-01T00:00:00.000Z');
    saves.store.set(named, Buffer.from('{"half'));
    saves.store.set(nameless, Buffer.from('{"format":2}'));
    expect(await saves.repository.unreadable()).toEqual([
      {
        key: named,
        id: '20260101T000000000Z-00000000',
        createdAt: '2026-01-01T00:00:00.000Z',
        storedBytes: 6,
        problem: expect.stringContaining('torn'),
        isNewer: false,
      },
      {
        key: nameless,
        id: 'notes',
        createdAt: '2026-02-01T00:00:00.000Z',
        storedBytes: 12,
        problem: expect.stringContaining('a newer version wrote it'),
        isNewer: true,
      },
    ]);
  });

  it('is removed by its key, and a whole one never is', async () => {
    const saves = new Saves();
    const { snapshot } = await saves.save();
    const whole = `shop/snapshots/${snapshot.id}.json`;
    const torn = `shop/snapshots/${snapshot.id} (copy).json`;
    saves.store.set(torn, Buffer.from('{"half'));
    await saves.repository.list();
    expect(await saves.repository.removeUnreadable([whole, torn])).toEqual({
      removed: [`${snapshot.id} (copy)`],
      freedBytes: 6,
    });
    expect(await saves.repository.list()).toHaveLength(1);
  });

  it('stays and is listed when it proves whole, read once more', async () => {
    const saves = new Saves();
    const { snapshot } = await saves.save();
    const key = `shop/snapshots/${snapshot.id}.json`;
    const { bytes, version } = saves.store.objects.get(key) ?? { bytes: Buffer.alloc(0), version: '' };
    const repository = saves.open();
    saves.store.set(key, Buffer.from('{"half'), version);
    expect(await repository.list()).toEqual([]);
    saves.store.set(key, bytes, version);
    expect((await repository.removeUnreadable([key])).removed).toEqual([]);
    expect(await repository.list()).toHaveLength(1);
  });

  it('is none when it was put anew meanwhile, nor when only the transfer broke off', async () => {
    const saves = new Saves();
    const { snapshot } = await saves.save();
    const key = `shop/snapshots/${snapshot.id}.json`;
    const repository = saves.open();
    saves.store.set(key, Buffer.from('{"half'));
    expect(await repository.list()).toEqual([]);
    saves.store.set(key, Buffer.from('{"other half'));
    expect((await repository.removeUnreadable([key])).removed).toEqual([]);
    const get = saves.store.get.bind(saves.store);
    saves.store.get = async (asked) => {
      const object = await get(asked);
      return object && { ...object, info: { ...object.info, size: object.info.size + 1 } };
    };
    await expect(saves.open().unreadable()).rejects.toMatchObject({ code: 'STORE' });
  });

  it('is noticed by a verification although its version did not change', async () => {
    const saves = new Saves();
    const { snapshot } = await saves.save();
    saves.store.rot(`shop/snapshots/${snapshot.id}.json`, 40);
    await expect(saves.repository.verify(snapshot.id)).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' });
    expect(await saves.repository.list()).toEqual([]);
  });

  it.each([
    ['of another client id', { clientId: 'other' }],
    ['under another name', {}],
  ])('is one %s too', async (_what, overrides) => {
    const saves = new Saves();
    const other = openRepository(
      { kind: 'save' },
      {
        ...{ store: saves.store, clientId: 'other', runner: saves.world.runner, fs: saves.world.fs },
      },
    );
    const tree = await saves.world.capture(PROFILE);
    const { snapshot } = await other.create(tree, saves.world.context({ clientId: 'other' }));
    const bytes = saves.store.objects.get(`other/snapshots/${snapshot.id}.json`)?.bytes ?? Buffer.alloc(0);
    const name = 'clientId' in overrides ? snapshot.id : '20260101T000000000Z-00000000';
    saves.store.set(`shop/snapshots/${name}.json`, bytes);
    expect(await saves.repository.list()).toEqual([]);
    expect(saves.problems).toEqual([name]);
  });
});

describe('the sweep', () => {
  it('frees what no snapshot needs and says how much', async () => {
    const saves = new Saves();
    const first = await saves.save();
    const { key, bytes } = holderOf(saves.store, PROFILE[TABLE]);
    await saves.save({ ...PROFILE, [TABLE]: COMPACTED });
    saves.store.set('shop/objects/leftover', Buffer.from('abc'));
    saves.store.set('shop/objects/packs/leftover', Buffer.from('de'));
    saves.store.set('shop/snapshots/.DS_Store', Buffer.from('finder'));
    await saves.repository.remove([first.snapshot.id]);
    expect(await saves.repository.sweep({ atOnce: true })).toEqual({ freedBytes: bytes + 5, files: 3 });
    expect(saves.store.keys()).not.toContain(key);
    const [kept] = await saves.repository.list();
    await saves.repository.verify(kept?.id ?? '');
  });

  describe('of a remote store', () => {
    const HOUR_MS = 3_600_000;

    /** A store with one object that no snapshot needs any more: in a folder that of the table, else the first pack. */
    async function withUseless(store?: (world: World) => TinyStore) {
      const saves = new Saves(store);
      const first = await saves.save();
      const { key, bytes } = holderOf(saves.store, PROFILE[TABLE]);
      await saves.save({ ...PROFILE, [TABLE]: COMPACTED });
      await saves.repository.remove([first.snapshot.id]);
      return { saves, useless: key, freed: { freedBytes: bytes, files: 1 } };
    }

    const NOTHING = { freedBytes: 0, files: 0 };

    it('deletes nothing that was needed less than an hour ago, whichever process looks', async () => {
      const { saves, useless, freed } = await withUseless();
      expect(await saves.repository.sweep()).toEqual(NOTHING);
      saves.world.now += HOUR_MS - 1;
      expect(await saves.open().sweep()).toEqual(NOTHING);
      expect(saves.store.keys()).toContain(useless);
      saves.world.now += 1;
      expect(await saves.open().sweep()).toEqual(freed);
      expect(saves.store.keys()).not.toContain(useless);
      expect(await saves.open().sweep()).toEqual(NOTHING);
    });

    it('begins to count again when a snapshot has needed it meanwhile', async () => {
      const { saves, freed } = await withUseless();
      await saves.repository.sweep();
      const { snapshot } = await saves.save();
      saves.world.now += HOUR_MS;
      expect(await saves.repository.sweep()).toEqual(NOTHING);
      await saves.save({ ...PROFILE, [TABLE]: COMPACTED });
      await saves.repository.remove([snapshot.id]);
      expect(await saves.repository.sweep()).toEqual(NOTHING);
      saves.world.now += HOUR_MS;
      expect(await saves.repository.sweep()).toEqual(freed);
    });

    it('begins to count again when it was put anew, or by a clock that was ahead', async () => {
      const { saves, useless, freed } = await withUseless();
      saves.world.now += 100 * HOUR_MS;
      await saves.repository.sweep();
      saves.world.now -= 100 * HOUR_MS;
      expect(await saves.repository.sweep()).toEqual(NOTHING);
      saves.world.now += HOUR_MS;
      saves.store.set(useless, Buffer.alloc(freed.freedBytes));
      expect(await saves.repository.sweep()).toEqual(NOTHING);
      saves.world.now += HOUR_MS;
      expect(await saves.repository.sweep()).toEqual(freed);
    });

    it('deletes nothing when it can not note first what is to go', async () => {
      const { saves, useless } = await withUseless();
      saves.store.onCall = (call, key) => {
        if (call === 'put' && key.includes('/state')) throw new StoreError('full');
      };
      for (let time = 0; time < 2; time++) {
        await expect(saves.repository.sweep()).rejects.toThrow('full');
        saves.world.now += HOUR_MS;
      }
      expect(saves.store.keys()).toContain(useless);
    });

    it('is at once where a person wants it, and in a folder', async () => {
      const remote = await withUseless();
      expect(await remote.saves.repository.sweep({ atOnce: true })).toEqual(remote.freed);
      const folder = await withUseless(local);
      expect(await folder.saves.repository.sweep()).toEqual({ freedBytes: 70_000, files: 1 });
    });
  });

  it('waits for a save that is being taken', async () => {
    const saves = new Saves();
    let sweeping: Promise<unknown> | undefined;
    const put = saves.store.put.bind(saves.store);
    saves.store.put = async (key, body, options) => {
      if (key.includes('/snapshots/')) {
        sweeping = saves.repository.sweep();
        // Time enough for a sweep that does not wait.
        for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
      }
      return put(key, body, options);
    };
    const { snapshot } = await saves.save();
    await sweeping;
    await saves.repository.verify(snapshot.id);
  });
});

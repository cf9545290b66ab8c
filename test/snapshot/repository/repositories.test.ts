import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { StoreError } from '../../../src/errors.js';
import { openRepository } from '../../../src/snapshot/repository/open-repository.js';
import type { SnapshotRepository } from '../../../src/snapshot/repository.js';
import type { SessionStore } from '../../../src/stores/session-store.js';
import { TinyLocalStore } from '../support/local-store.js';
import { TinyStore } from '../support/memory-store.js';
import { asText, type Files, LEVELDB, PROFILE, World } from '../support/world.js';

interface Setup {
  readonly world: World;
  readonly store: TinyStore;
  readonly repository: SnapshotRepository;
  readonly problems: [string, unknown][];
  /** The same store seen by a process that has just started. */
  readonly restarted: () => SnapshotRepository;
}

type Make = (world: World, store: SessionStore, problems: [string, unknown][]) => SnapshotRepository;

const formats: readonly (readonly [string, Make])[] = [
  [
    'incremental',
    (world, store, problems) =>
      openRepository(
        { kind: 'save' },
        {
          ...{ store, clientId: 'shop', runner: world.runner, fs: world.fs, clock: world.clock },
          onProblem: (id, error) => problems.push([id, error]),
        },
      ),
  ],
  [
    'zip',
    (world, store, problems) =>
      openRepository(
        { kind: 'backup', stagingDirectory: '/staging' },
        {
          ...{ store, clientId: 'shop', runner: world.runner, fs: world.fs, clock: world.clock },
          onProblem: (id, error) => problems.push([id, error]),
        },
      ),
  ],
];
const places = ['remote', 'local'] as const;
const cases = formats.flatMap(([format, make]) => places.map((place) => ({ format, place, make })));

describe.each(cases)('the $format repository over a $place store', ({ place, make, format }) => {
  function setup(): Setup {
    const world = new World();
    const store = place === 'remote' ? new TinyStore() : new TinyLocalStore(world.fs, '/store');
    const problems: [string, unknown][] = [];
    const restarted = () => make(world, store, problems);
    return { world, store, problems, restarted, repository: restarted() };
  }

  async function create({ world, repository }: Setup, files: Files = PROFILE, overrides = {}) {
    world.now += 60_000;
    const result = await repository.create(await world.capture(files), world.context(overrides));
    if ('skipped' in result) throw new Error('skipped');
    return result;
  }

  it('gives back exactly the files it was given', async () => {
    const s = setup();
    const { snapshot } = await create(s);
    const manifest = await s.repository.restore(snapshot.id, '/restored');
    expect(await s.world.read('/restored')).toEqual(asText(PROFILE));
    expect(manifest.id).toBe(snapshot.id);
  });

  it('restores with owner-only modes', async () => {
    const s = setup();
    const { snapshot } = await create(s);
    await s.repository.restore(snapshot.id, '/restored');
    const mode = async (path: string) => (await s.world.fs.promises.stat(path)).mode & 0o777;
    expect(await mode(`/restored/${LEVELDB}/CURRENT`)).toBe(0o600);
    expect(await mode('/restored/Default')).toBe(0o700);
  });

  it('describes a snapshot as its listing does', async () => {
    const s = setup();
    const { snapshot, bytesWritten } = await create(s);
    expect(snapshot).toMatchObject({
      kind: s.repository.kind,
      store: s.store.name,
      clientId: 'shop',
      lineage: 'lineage-1',
      run: 3,
      createdAt: '2026-11-23T05:15:09.123Z',
      files: 6,
      sizeBytes: Object.values(PROFILE).reduce((sum, content) => sum + Buffer.byteLength(content), 0),
      capture: 'hot',
      settled: true,
      revoked: false,
      verifiedAt: '2026-11-23T05:15:09.123Z',
    });
    expect(await s.repository.list()).toEqual([snapshot]);
    expect(bytesWritten).toBeGreaterThan(0);
    expect(s.store.keys().filter((key) => key.includes(snapshot.id))).toHaveLength(1);
  });

  it('lists newest first, also after a restart', async () => {
    const s = setup();
    const first = await create(s);
    const second = await create(s, { ...PROFILE, 'Default/new': 'x' });
    const ids = (await s.restarted().list()).map(({ id }) => id);
    expect(ids).toEqual([second.snapshot.id, first.snapshot.id]);
  });

  it('skips a capture in which nothing changed and writes nothing', async () => {
    const s = setup();
    const { snapshot } = await create(s);
    const before = s.store.keys();
    s.world.now += 60_000;
    const again = await s.repository.create(await s.world.capture(PROFILE), s.world.context());
    expect(again).toEqual({ skipped: 'unchanged', snapshot });
    expect(s.store.keys()).toEqual(before);
  });

  it('does not skip the same bytes of another lineage', async () => {
    const s = setup();
    await create(s);
    await create(s, PROFILE, { lineage: 'lineage-2' });
    expect(await s.repository.list()).toHaveLength(2);
  });

  it.each([
    ['settled', { settled: false }, { settled: true }],
    ['cold', {}, { capture: 'cold' as const }],
    ['the account known', {}, { account: `scrypt$${'a'.repeat(32)}$${'b'.repeat(64)}` }],
  ])('keeps the same bytes again when they are now %s', async (_what, before, after) => {
    const s = setup();
    await create(s, PROFILE, before);
    await create(s, PROFILE, after);
    expect(await s.repository.list()).toHaveLength(2);
  });

  it('does not trade a settled snapshot for an unsettled one', async () => {
    const s = setup();
    await create(s, PROFILE, { settled: true });
    const worse = s.world.context({ settled: false, capture: 'cold' });
    expect(await s.repository.create(await s.world.capture(PROFILE), worse)).toHaveProperty('skipped');
  });

  it('reports an unknown id as not found, and a store that is down as a store error', async () => {
    const s = setup();
    await expect(s.repository.manifest('../etc')).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' });
    await expect(s.repository.restore('nope', '/restored')).rejects.toMatchObject({
      code: 'SNAPSHOT_NOT_FOUND',
    });
    s.store.onCall = () => {
      throw new Error('connection refused');
    };
    await expect(s.repository.list()).rejects.toMatchObject({ code: 'STORE' });
    await expect(s.repository.manifest('nope')).rejects.toMatchObject({ code: 'STORE' });
  });

  it('refuses to restore into a folder that holds something, and leaves it alone', async () => {
    const s = setup();
    const { snapshot } = await create(s);
    await s.world.fs.promises.mkdir('/restored');
    await s.world.fs.promises.writeFile('/restored/mine', 'keep');
    await expect(s.repository.restore(snapshot.id, '/restored')).rejects.toMatchObject({
      code: 'INVALID_STATE',
    });
    expect(await s.world.read('/restored')).toEqual({ mine: 'keep' });
  });

  it('refuses a captured file whose name could not be restored everywhere', async () => {
    const s = setup();
    const tree = await s.world.capture({ 'Default/a': '1', 'Default/A': '2' });
    await expect(s.repository.create(tree, s.world.context())).rejects.toMatchObject({
      code: 'SNAPSHOT_UNSAFE',
    });
    expect(s.store.keys()).toEqual([]);
  });

  it('fails, retryable, when a captured file is not what the capture says', async () => {
    const s = setup();
    const tree = await s.world.capture(PROFILE);
    await s.world.fs.promises.writeFile(`${tree.directory}/${LEVELDB}/CURRENT`, 'short');
    await expect(s.repository.create(tree, s.world.context())).rejects.toMatchObject({
      code: 'SNAPSHOT_CORRUPT',
      retryable: true,
    });
    await s.world.fs.promises.rm(`${tree.directory}/${LEVELDB}/CURRENT`);
    await expect(s.repository.create(tree, s.world.context())).rejects.toThrow(/CURRENT changed/);
    expect(await s.repository.list()).toEqual([]);
  });

  it('never overwrites another snapshot: the same id is drawn again', async () => {
    const s = setup();
    const drawn = ['same', 'same', 'other'];
    const options = { store: s.store, clientId: 'shop', runner: s.world.runner, fs: s.world.fs };
    const randomness = () => drawn.shift() ?? 'more';
    const repository =
      format === 'zip'
        ? openRepository({ kind: 'backup', stagingDirectory: '/staging' }, { ...options, randomness })
        : openRepository({ kind: 'save' }, { ...options, randomness });
    const context = s.world.context({ settled: false });
    const first = await repository.create(await s.world.capture(PROFILE), context);
    const second = await repository.create(await s.world.capture(PROFILE), { ...context, settled: true });
    expect(second.snapshot.id).not.toBe(first.snapshot.id);
    expect(await repository.list()).toHaveLength(2);
  });

  it('gives up when no id is free', async () => {
    const s = setup();
    const options = { store: s.store, clientId: 'shop', runner: s.world.runner, fs: s.world.fs };
    const randomness = () => 'same';
    const repository =
      format === 'zip'
        ? openRepository({ kind: 'backup', stagingDirectory: '/staging' }, { ...options, randomness })
        : openRepository({ kind: 'save' }, { ...options, randomness });
    const context = s.world.context({ settled: false });
    await repository.create(await s.world.capture(PROFILE), context);
    const again = repository.create(await s.world.capture(PROFILE), { ...context, settled: true });
    await expect(again).rejects.toMatchObject({ code: 'INTERNAL', retryable: true });
  });

  it('verifies and remembers when, beyond a restart', async () => {
    const s = setup();
    const { snapshot } = await create(s);
    s.world.now += 5_000;
    const verified = await s.repository.verify(snapshot.id);
    expect(verified.verifiedAt).toBe(new Date(s.world.now).toISOString());
    expect((await s.restarted().list())[0]?.verifiedAt).toBe(verified.verifiedAt);
  });

  it('verifies in a store that can take no record of it: what is whole is whole', async () => {
    const s = setup();
    const { snapshot } = await create(s);
    s.store.onCall = (operation) => {
      if (operation === 'put') throw new StoreError('there is no room');
    };
    expect((await s.repository.verify(snapshot.id)).id).toBe(snapshot.id);
  });

  it('takes a torn record of a verification for none', async () => {
    const s = setup();
    const { snapshot } = await create(s);
    await s.repository.verify(snapshot.id);
    for (const text of ['{', 'null', '{"verified":[]}']) {
      for (const key of ['shop/state.json', 'shop/state-copy.json']) s.store.set(key, Buffer.from(text));
      expect((await s.restarted().list())[0]?.verifiedAt).toBeUndefined();
    }
  });

  it('marks every snapshot of a revoked lineage, and keeps the first cause', async () => {
    const s = setup();
    await create(s);
    await create(s, PROFILE, { lineage: 'lineage-2' });
    await s.repository.revoke('lineage-1', { cause: 'phone', at: '2026-11-23T06:00:00.000Z' });
    await s.repository.revoke('lineage-1', { cause: 'client', at: '2026-11-24T06:00:00.000Z' });
    expect(await s.repository.revokedLineages()).toEqual(new Set(['lineage-1']));
    const revoked = (await s.restarted().list()).map(({ lineage, revoked }) => [lineage, revoked]);
    expect(revoked).toEqual([
      ['lineage-2', false],
      ['lineage-1', true],
    ]);
    for (const key of ['shop/state.json', 'shop/state-copy.json']) {
      const text = s.store.objects.get(key)?.bytes.toString();
      expect(text).toContain('"phone"');
      expect(text).not.toContain('"client"');
    }
  });

  it('tells which lineages are held, also when no snapshot of them is left, until they are released', async () => {
    const s = setup();
    const { snapshot } = await create(s);
    await s.repository.hold('lineage-1', { cause: 'removed', at: '2026-11-23T06:00:00.000Z' });
    expect((await s.repository.list())[0]?.held).toBe(true);
    await s.repository.remove([snapshot.id]);
    expect(await s.restarted().heldLineages()).toEqual(new Set(['lineage-1']));
    await s.repository.release('lineage-1');
    expect(await s.repository.heldLineages()).toEqual(new Set());
  });

  it('holds a lineage that moved to another client id until it is saved again, and anew when it moves later', async () => {
    const s = setup();
    const { snapshot } = await create(s);
    const timeAfter = (ms: number) => new Date(Date.parse(snapshot.createdAt) + ms).toISOString();
    const moved = (ms: number) => ({ cause: 'moved', at: timeAfter(ms), by: 'other' }) as const;
    await s.repository.hold('lineage-1', moved(-1));
    expect((await s.restarted().list())[0]?.held).toBe(undefined);
    expect(await s.restarted().heldLineages()).toEqual(new Set());
    const hold = { lineage: 'lineage-1', ...moved(-1) };
    expect(await s.restarted().holds()).toEqual([{ ...hold, isOver: true }]);
    await s.repository.hold('lineage-1', moved(1));
    expect((await s.restarted().list())[0]?.held).toBe(true);
    await s.repository.hold('lineage-1', moved(-1));
    expect(await s.repository.holds()).toMatchObject([{ at: timeAfter(1), isOver: false }]);
    await s.repository.hold('lineage-1', { cause: 'removed', at: timeAfter(-1) });
    await s.repository.hold('lineage-1', moved(2));
    expect(await s.restarted().holds()).toMatchObject([{ cause: 'removed', isOver: false }]);
  });

  it('tells which lineages are held at other places only, until they are released', async () => {
    const s = setup();
    await create(s);
    const cleared = { cause: 'cleared', at: '2026-11-23T06:00:00.000Z' } as const;
    await s.repository.hold('lineage-1', cleared);
    const [snapshot] = await s.restarted().list();
    expect([snapshot?.heldElsewhere, snapshot?.held]).toEqual([true, undefined]);
    expect(await s.repository.heldLineages()).toEqual(new Set());
    await s.repository.release('lineage-1');
    expect((await s.restarted().list())[0]?.heldElsewhere).toBe(undefined);
  });

  it('stores the same bytes once more where they are to remember another import, and only once', async () => {
    const s = setup();
    await create(s);
    const imported = ['lineage-0'];
    const { snapshot } = await create(s, PROFILE, { imported });
    expect((await s.restarted().list()).map((info) => info.imported)).toEqual([imported, undefined]);
    const same = await s.repository.create(await s.world.capture(PROFILE), s.world.context({ imported }));
    expect(same).toEqual({ skipped: 'unchanged', snapshot });
  });

  describe('asked by signatures alone', () => {
    const changed = { ...PROFILE, [`${LEVELDB}/000006.log`]: 'more' };

    it('knows the snapshot that a profile is still the same as, and reads and writes nothing', async () => {
      const s = setup();
      const { snapshot } = await create(s);
      const { files } = await s.world.capture(PROFILE);
      const calls: string[] = [];
      s.store.onCall = (call) => calls.push(call);
      expect(await s.repository.unchanged(files, s.world.context())).toEqual(snapshot);
      expect(calls.filter((call) => call !== 'list')).toEqual([]);
    });

    it.each([
      ['a file has changed', changed],
      ['a file is new', { ...PROFILE, [`${LEVELDB}/000007.ldb`]: 'new' }],
      ['a file is gone', { [`${LEVELDB}/CURRENT`]: 'MANIFEST-000001\n' }],
    ])('tells nothing when %s', async (_, now) => {
      const s = setup();
      await create(s);
      const { files } = await s.world.capture(now);
      expect(await s.repository.unchanged(files, s.world.context())).toBeUndefined();
    });

    it('tells nothing of another login, of one that is worth more now, or after a snapshot of other bytes', async () => {
      const s = setup();
      const early = await create(s, PROFILE, { settled: false });
      const { files } = await s.world.capture(PROFILE);
      expect(await s.repository.unchanged(files, s.world.context({ settled: false }))).toEqual(
        early.snapshot,
      );
      expect(await s.repository.unchanged(files, s.world.context())).toBeUndefined();
      const other = s.world.context({ settled: false, lineage: 'lineage-2' });
      expect(await s.repository.unchanged(files, other)).toBeUndefined();
      await create(s, changed, { settled: false });
      expect(await s.repository.unchanged(files, s.world.context({ settled: false }))).toBeUndefined();
    });

    it('tells nothing in a new process, after a failure, or when the snapshot is gone', async () => {
      const s = setup();
      const { snapshot } = await create(s);
      const { files } = await s.world.capture(PROFILE);
      expect(await s.restarted().unchanged(files, s.world.context())).toBeUndefined();
      await s.repository.remove([snapshot.id]);
      expect(await s.repository.unchanged(files, s.world.context())).toBeUndefined();
      await create(s);
      s.store.onCall = (call) => {
        if (call === 'put') throw new Error('down');
      };
      await expect(create(s, changed)).rejects.toThrow();
      s.store.onCall = () => undefined;
      expect(await s.repository.unchanged(files, s.world.context())).toBeUndefined();
    });

    it('tells nothing when the store has lost a part of the snapshot', async () => {
      const s = setup();
      await create(s);
      const { files } = await s.world.capture(PROFILE);
      const lost = s.store.keys().find((key) => key.includes('/objects/') || key.endsWith('.zip'));
      await s.store.delete(lost ?? '');
      expect(await s.repository.unchanged(files, s.world.context())).toBeUndefined();
    });
  });

  it('takes the hashes that a capture brings along for those of the bytes, and finds out when they are not', async () => {
    const s = setup();
    const tree = await s.world.capture(PROFILE);
    const path = `${LEVELDB}/000005.ldb`;
    const claim = (sha256: string) => ({
      ...tree,
      files: tree.files.map((file) => (file.path === path ? { ...file, sha256 } : file)),
    });
    await expect(s.repository.create(claim('0'.repeat(64)), s.world.context())).rejects.toMatchObject({
      code: 'SNAPSHOT_CORRUPT',
    });
    expect(await s.repository.list()).toEqual([]);
    const right = createHash('sha256')
      .update(PROFILE[path] ?? '')
      .digest('hex');
    const { snapshot } = await s.repository.create(claim(right), s.world.context());
    await s.repository.verify(snapshot.id);
  });

  it('removes what it is told to, ignores unknown ids, and frees what only that needed', async () => {
    const s = setup();
    const first = await create(s);
    const second = await create(s, { ...PROFILE, [`${LEVELDB}/CURRENT`]: 'MANIFEST-000002\n' });
    await s.repository.verify(first.snapshot.id);
    const { removed, freedBytes } = await s.repository.remove([first.snapshot.id, 'unknown']);
    expect(removed).toEqual([first.snapshot.id]);
    expect(freedBytes).toBeGreaterThan(500);
    await s.repository.sweep();
    expect((await s.repository.list()).map(({ id }) => id)).toEqual([second.snapshot.id]);
    expect(s.store.keys().some((key) => key.includes(first.snapshot.id))).toBe(false);
    await s.repository.verify(second.snapshot.id);
  });

  it('clears every key of this client id and no other', async () => {
    const s = setup();
    await create(s);
    await s.repository.revoke('lineage-1', { cause: 'phone', at: '2026-11-23T06:00:00.000Z' });
    s.store.set('shop2/snapshots/x.json', Buffer.from('other'));
    await s.repository.clear();
    expect(s.store.keys()).toEqual(['shop2/snapshots/x.json']);
    await create(s);
    expect(await s.repository.list()).toHaveLength(1);
  });

  it('is aborted by its signal, and leaves nothing listed', async () => {
    const s = setup();
    const abort = new AbortController();
    abort.abort(new Error('stopping'));
    const tree = await s.world.capture(PROFILE);
    await expect(s.repository.create(tree, s.world.context(), { signal: abort.signal })).rejects.toThrow(
      'stopping',
    );
    expect(await s.repository.list()).toEqual([]);
  });

  it('whatever call of the store fails, lists nothing that fails its verification', async () => {
    for (let failing = 1, failed = true; failed; failing += 1) {
      expect(failing).toBeLessThan(200);
      const s = setup();
      await create(s);
      let calls = 0;
      failed = false;
      s.store.onCall = () => {
        calls += 1;
        if (calls !== failing) return;
        failed = true;
        throw new Error('the network is down');
      };
      await create(s, { ...PROFILE, 'Default/new': 'n', 'Default/newer': 'nn' }).catch(() => undefined);
      s.store.onCall = () => undefined;
      const repository = s.restarted();
      for (const { id } of await repository.list()) await repository.verify(id);
      expect(s.problems).toEqual([]);
      // And the next save heals whatever is missing.
      const after = await repository.create(await s.world.capture({ 'Default/z': 'z' }), s.world.context());
      await repository.verify(after.snapshot.id);
    }
  });

  it('is not trusted to a store that keeps other bytes than it was given', async () => {
    const s = setup();
    s.store.onCall = (call, key) => {
      if (call !== 'put:after' || key.includes('/state')) return;
      const object = s.store.objects.get(key);
      if (place === 'local' || format === 'incremental') s.store.rot(key, 3);
      else if (object !== undefined) s.store.set(key, object.bytes.subarray(1), object.version);
    };
    await expect(create(s)).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT', retryable: true });
    s.store.onCall = () => undefined;
    expect(await s.repository.list()).toEqual([]);
    expect(s.problems).toEqual([]);
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { LeaseLostError, StoreError } from '../../../src/errors.js';
import { openRepository } from '../../../src/snapshot/repository/open-repository.js';
import type { SnapshotRepository } from '../../../src/snapshot/repository.js';
import {
  NO_STATE,
  parseState,
  type StoreState,
  serializeState,
} from '../../../src/snapshot/state/store-state.js';
import { MemoryStore } from '../../../src/testing/memory-store.js';
import { PROFILE, World } from '../support/world.js';

const AT = '2026-11-23T06:00:00.000Z';
const MAIN = 'shop/state.json';
const COPY = 'shop/state-copy.json';

describe('the state of the logins in a store', () => {
  let world: World;
  let store: MemoryStore;
  let repository: SnapshotRepository;
  let problems: string[];

  beforeEach(() => {
    world = new World();
    store = new MemoryStore();
    problems = [];
    repository = open();
  });

  function open(assertMayWrite?: () => void): SnapshotRepository {
    const onProblem = (id: string) => void problems.push(id);
    const shared = { store, clientId: 'shop', runner: world.runner, fs: world.fs, clock: world.clock };
    return openRepository(
      { kind: 'save' },
      { ...shared, onProblem, ...(assertMayWrite && { assertMayWrite }) },
    );
  }

  async function save(lineage: string): Promise<string> {
    const context = world.context({ lineage });
    const { snapshot } = await repository.create(await world.capture({ ...PROFILE, lineage }), context);
    return snapshot.id;
  }

  const flagsOf = async (from = open()) =>
    Object.fromEntries(
      (await from.list()).map(({ lineage, revoked, held }) => [lineage, { revoked, held: held === true }]),
    );

  async function stateAt(key: string): Promise<StoreState> {
    const found = await store.get(key);
    return parseState(Buffer.concat(await (found?.body.toArray() ?? [])));
  }

  async function damage(...keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      const found = await store.get(key);
      const bytes = Buffer.concat(await (found?.body.toArray() ?? []));
      bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
      await store.put(key, bytes);
    }
  }

  it.each([
    ['damaged', () => damage(MAIN)],
    ['torn', () => store.put(MAIN, Buffer.from('{"format":1,"marks":{"revoked":[]'))],
    ['empty', () => store.put(MAIN, Buffer.alloc(0))],
    ['gone', () => store.delete(MAIN)],
  ])('that is %s: a revoked login stays revoked, by the copy', async (what, damaging) => {
    await save('dead');
    await save('alive');
    await repository.revoke('dead', { cause: 'phone', at: AT });
    await damaging();
    expect(await flagsOf()).toEqual({
      dead: { revoked: true, held: false },
      alive: { revoked: false, held: false },
    });
    expect(new Set(problems)).toEqual(new Set(what === 'gone' ? [] : ['state.json']));
  });

  it('that is nested more deeply than can be serialized is damaged, as any other fault of it is', () => {
    const text = `{"format":1,"x":${'['.repeat(100_000)}${']'.repeat(100_000)},"checksum":"a"}`;
    expect(() => parseState(Buffer.from(text))).toThrow(
      expect.objectContaining({
        code: 'SNAPSHOT_CORRUPT',
        message: expect.stringContaining('nested too deeply'),
      }),
    );
  });

  it('and its copy that are damaged: every login is held, and a person may release one', async () => {
    await save('dead');
    await save('alive');
    await repository.revoke('dead', { cause: 'phone', at: AT });
    await damage(MAIN, COPY);
    const held = { revoked: false, held: true };
    expect(await flagsOf()).toEqual({ dead: held, alive: held });
    await open().release('alive');
    const after = { dead: held, alive: { revoked: false, held: false } };
    expect(await flagsOf()).toEqual(after);
    expect((await stateAt(MAIN)).marks.held.map(({ lineage }) => lineage)).toEqual(['dead']);
    await save('later');
    expect((await flagsOf()).later).toEqual({ revoked: false, held: false });
  });

  it('whose copy is damaged is mended by the next mark', async () => {
    await repository.revoke('dead', { cause: 'phone', at: AT });
    await damage(COPY);
    await open().hold('other', { cause: 'removed', at: AT });
    expect((await stateAt(COPY)).marks).toEqual((await stateAt(MAIN)).marks);
    expect((await stateAt(COPY)).marks.revoked).toEqual([{ lineage: 'dead', cause: 'phone', at: AT }]);
  });

  it('is never behind its copy: a mark that was only half put is lost with neither of them damaged', async () => {
    await save('one');
    await repository.revoke('zero', { cause: 'phone', at: AT });
    const put = store.put.bind(store);
    store.put = (key, ...rest) => (key === MAIN ? Promise.reject(new StoreError('down')) : put(key, ...rest));
    await expect(open().revoke('one', { cause: 'phone', at: AT })).rejects.toThrow('down');
    store.put = put;
    expect(await open().revokedLineages()).toEqual(new Set(['zero']));
    await damage(MAIN);
    expect(await open().revokedLineages()).toEqual(new Set(['zero', 'one']));
  });

  it('takes the changes of several processes at once', async () => {
    const lineages = ['a', 'b', 'c', 'd', 'e'];
    const marking = lineages.map((lineage) => open().revoke(lineage, { cause: 'phone', at: AT }));
    await Promise.all(marking);
    expect(await open().revokedLineages()).toEqual(new Set(lineages));
  });

  it('takes verification times beside marks, also of a process that is not the owner', async () => {
    const ids = [await save('one'), await save('two')];
    const guest = open(() => {
      throw new LeaseLostError('not ours');
    });
    await Promise.all([
      ...ids.map((id) => guest.verify(id)),
      open().revoke('one', { cause: 'phone', at: AT }),
    ]);
    const infos = await open().list();
    expect(infos.map(({ verifiedAt }) => verifiedAt)).toEqual([
      world.context().createdAt,
      world.context().createdAt,
    ]);
    expect(infos.filter(({ revoked }) => revoked).map(({ lineage }) => lineage)).toEqual(['one']);
  });

  it('is left alone by who is not the owner where the store keeps no conditions', async () => {
    const id = await save('one');
    await repository.revoke('dead', { cause: 'phone', at: AT });
    Object.assign(store, { capabilities: { conditionalPut: false } });
    const guest = open(() => {
      throw new LeaseLostError('not ours');
    });
    await guest.verify(id);
    expect((await stateAt(MAIN)).verified).toEqual([]);
    await open().verify(id);
    expect((await stateAt(MAIN)).verified.map((one) => one.id)).toEqual([id]);
  });

  it('takes no mark of a process that is not the owner', async () => {
    const guest = open(() => {
      throw new LeaseLostError('not ours');
    });
    await expect(guest.revoke('one', { cause: 'phone', at: AT })).rejects.toThrow('not ours');
    expect(await open().revokedLineages()).toEqual(new Set());
  });

  it('that is not delivered is taken from its copy, told once, and never looks empty where that is not either', async () => {
    await save('ended');
    await repository.revoke('ended', { cause: 'phone', at: AT });
    const get = store.get.bind(store);
    let withheld: readonly string[] = [MAIN];
    store.get = async (...given) => {
      if (withheld.includes(given[0])) throw new StoreError('EIO');
      return get(...given);
    };
    const from = open();
    for (let round = 0; round < 2; round++)
      expect(await flagsOf(from)).toMatchObject({ ended: { revoked: true } });
    expect(problems).toEqual(['state.json']);
    withheld = [MAIN, COPY];
    await expect(flagsOf()).rejects.toMatchObject({ code: 'STORE', message: 'EIO' });
    withheld = [];
    expect(await flagsOf(from)).toMatchObject({ ended: { revoked: true } });
  });

  it('fails with a store that is down, and never looks empty for it', async () => {
    await repository.revoke('dead', { cause: 'phone', at: AT });
    store.setDown(true);
    await expect(open().revokedLineages()).rejects.toMatchObject({ code: 'STORE' });
  });

  it('outlives clear() only with what was cleared, for 30 days', async () => {
    await save('one');
    await repository.revoke('dead', { cause: 'phone', at: AT });
    await repository.markCleared('one', new Date(world.now).toISOString());
    await repository.clear();
    const { marks } = await stateAt(MAIN);
    expect([marks.cleared.map(({ lineage }) => lineage), marks.revoked]).toEqual([['one'], []]);
    world.now += 30 * 24 * 3_600_000 + 1;
    await open().sweep();
    expect(await open().clearedLineages()).toEqual(new Set());
  });

  it('is gone after a clear() of which nothing must outlive it', async () => {
    await repository.revoke('dead', { cause: 'phone', at: AT });
    await repository.clear();
    expect(await store.head(MAIN)).toBeUndefined();
    expect(await store.head(COPY)).toBeUndefined();
  });

  it('keeps the sections that only a newer version knows', async () => {
    await store.put(MAIN, serializeState({ ...NO_STATE, others: { fleets: [{ fleet: 1 }] } }));
    await repository.revoke('dead', { cause: 'phone', at: AT });
    expect((await stateAt(MAIN)).others).toEqual({ fleets: [{ fleet: 1 }] });
  });
});

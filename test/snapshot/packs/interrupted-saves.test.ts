import { describe, expect, it } from 'vitest';
import { StoreError } from '../../../src/errors.js';
import { asText, LEVELDB } from '../support/world.js';
import { bytesOf, Packed, profileOf, table } from './pack-world.js';

const KiB = 1024;
const LOG = `${LEVELDB}/000900.log`;

describe('a save that is interrupted at any call of the store', () => {
  const files = profileOf(4, 10 * KiB);
  const next = { ...files, [LOG]: bytesOf(1, 6 * KiB), [table(7)]: bytesOf(7, 12 * KiB) };
  const later = { ...next, [LOG]: bytesOf(2, 6 * KiB) };

  /** Saves `next`; from a call on nothing reaches the store any more, or nothing comes back from it. */
  async function interrupted(at: number, when: 'before' | 'after') {
    const saves = new Packed();
    const first = await saves.save(files);
    let calls = 0;
    let isDead = false;
    saves.store.onCall = (call) => {
      const isAfter = call.endsWith(':after');
      if (!isAfter) calls += 1;
      isDead ||= calls >= at && isAfter === (when === 'after');
      if (isDead) throw new StoreError('dead');
    };
    const made = await saves.save(next).catch(() => undefined);
    saves.store.onCall = () => undefined;
    saves.reopen();
    return { saves, first, made, calls, isDead };
  }

  it.each(['before', 'after'] as const)(
    'leaves whole snapshots, and the next save works (%s it)',
    async (when) => {
      const { calls } = await interrupted(Number.POSITIVE_INFINITY, when);
      expect(calls).toBe(5); // a pack and a manifest, each put and read back, and the state
      const outcomes = new Set<number>();
      for (let at = 1; at <= calls; at++) {
        const { saves, first, isDead } = await interrupted(at, when);
        const listed = await saves.repository.list();
        outcomes.add(listed.length);
        expect(isDead || when === 'after').toBe(true);
        expect(listed.map(({ id }) => id)).toContain(first.id);
        expect(await saves.failing()).toEqual([]);
        expect(await saves.restored(first.id)).toEqual(asText(files));
        const again = await saves.save(later);
        expect(await saves.restored(again.id)).toEqual(asText(later));
        await saves.repository.remove(listed.map(({ id }) => id));
        await saves.repository.sweep({ atOnce: true });
        expect(await saves.restored(again.id)).toEqual(asText(later));
        const { packs = [] } = await saves.repository.manifest(again.id);
        expect(saves.packs).toHaveLength(packs.length);
      }
      expect([...outcomes].sort()).toEqual([1, 2]);
    },
  );
});

import assert from 'node:assert/strict';
import { isSessionError } from '../../errors.js';
import type { SessionStore } from '../../stores/session-store.js';
import { assertBytes, bytesAt, bytesOf, type Chapter, keysOf, rejectsWith, streamOf } from './harness.js';

const RACERS = 20;

/** `ifAbsent` and `ifVersion` work in stores that declare them, and are refused in the others. */
export const conditions: Chapter = (test, expects) => {
  if (expects.conditionalPut === false) {
    test('refuses conditions that it could not keep', async (store) => {
      await rejectsWith('STORE', store.put('shop/note', bytesOf(1), { ifAbsent: true }));
      await rejectsWith('STORE', store.put('shop/note', bytesOf(1), { ifVersion: 'x' }));
      assert.deepEqual(await keysOf(store), []);
    });
    return;
  }

  test('ifAbsent puts only where nothing is', async (store) => {
    await store.put('shop/note', bytesOf(5), { ifAbsent: true });
    await rejectsWith('STORE_CONFLICT', store.put('shop/note', bytesOf(6), { ifAbsent: true }));
    await rejectsWith('STORE_CONFLICT', store.put('shop/note', streamOf(bytesOf(6)), { ifAbsent: true }));
    assertBytes(await bytesAt(store, 'shop/note'), bytesOf(5));
    await store.delete('shop/note');
    await store.put('shop/note', bytesOf(7), { ifAbsent: true });
    assertBytes(await bytesAt(store, 'shop/note'), bytesOf(7));
  });

  test(`has one winner of ${RACERS} racing ifAbsent puts, and its value`, async (store) => {
    const outcomes = await race(RACERS, (index) =>
      store.put('shop/note', bytesOf(100, index), { ifAbsent: true }),
    );
    const winners = outcomes.flatMap((won, index) => (won ? [index] : []));
    assert.equal(winners.length, 1);
    assertBytes(await bytesAt(store, 'shop/note'), bytesOf(100, winners[0]));
  });

  test('ifVersion puts only over this very version', async (store) => {
    const first = await store.put('shop/note', bytesOf(5, 1));
    const second = await store.put('shop/note', bytesOf(5, 2), { ifVersion: first.version });
    await rejectsWith('STORE_CONFLICT', store.put('shop/note', bytesOf(5, 3), { ifVersion: first.version }));
    assertBytes(await bytesAt(store, 'shop/note'), bytesOf(5, 2));
    await store.put('shop/note', streamOf(bytesOf(5, 4)), { ifVersion: second.version });
    assertBytes(await bytesAt(store, 'shop/note'), bytesOf(5, 4));
  });

  test('ifVersion never matches what is missing, deleted or made anew', async (store) => {
    await rejectsWith('STORE_CONFLICT', store.put('shop/none', bytesOf(1), { ifVersion: 'x' }));
    const { version } = await store.put('shop/note', bytesOf(5));
    await store.delete('shop/note');
    await rejectsWith('STORE_CONFLICT', store.put('shop/note', bytesOf(5), { ifVersion: version }));
    await store.put('shop/note', bytesOf(5, 1));
    await rejectsWith('STORE_CONFLICT', store.put('shop/note', bytesOf(5), { ifVersion: version }));
    assertBytes(await bytesAt(store, 'shop/note'), bytesOf(5, 1));
  });

  test(`has one winner of ${RACERS} puts over the same version`, async (store) => {
    const { version: ifVersion } = await store.put('shop/note', bytesOf(5));
    const outcomes = await race(RACERS, (index) =>
      store.put('shop/note', bytesOf(100, index), { ifVersion }),
    );
    assert.equal(outcomes.filter(Boolean).length, 1);
  });

  test('loses no update of a counter that many increase', async (store) => {
    await store.put('shop/counter', Buffer.from('0'));
    await Promise.all(Array.from({ length: 5 }, () => increase(store, 'shop/counter', 4)));
    assert.equal(String(await bytesAt(store, 'shop/counter')), '20');
  });

  test('refuses both conditions at once', async (store) => {
    const { version: ifVersion } = await store.put('shop/note', bytesOf(5));
    await rejectsWith('STORE', store.put('shop/note', bytesOf(6), { ifAbsent: true, ifVersion }));
  });
};

/** Runs all attempts at once; returns for each whether it won. Any error but a conflict fails the test. */
function race(racers: number, attempt: (index: number) => Promise<unknown>): Promise<boolean[]> {
  return Promise.all(
    Array.from({ length: racers }, (_, index) =>
      attempt(index).then(
        () => true,
        (error: unknown) => {
          if (isSessionError(error) && error.code === 'STORE_CONFLICT') return false;
          throw error;
        },
      ),
    ),
  );
}

async function increase(store: SessionStore, key: string, times: number): Promise<void> {
  for (let done = 0, tries = 0; done < times; tries++) {
    assert.ok(tries < 1000, 'a conditional put never got through');
    const found = await store.get(key);
    assert.ok(found !== undefined, 'the counter is missing');
    const value = Number(await found.body.setEncoding('latin1').reduce((text, chunk) => text + chunk, ''));
    const [won] = await race(1, () =>
      store.put(key, Buffer.from(`${value + 1}`), { ifVersion: found.info.version }),
    );
    if (won) done++;
  }
}

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSessionError } from '../../errors.js';
import type { PutOptions, SessionStore } from '../../stores/session-store.js';
import {
  assertBytes,
  bytesAt,
  bytesOf,
  type Chapter,
  keysOf,
  type StoreFaults,
  type StoreFixture,
  type Undo,
} from './harness.js';

const PIECE_BYTES = 64 * 1024;
const PIECES = 40;
/** What was read ahead gets this long to reach the server before it is killed, ms. */
const SENDING_MS = 100;
/** A caller who gives up does so after this time, ms. */
const GIVES_UP_MS = 200;

/** The server behind the store dies, hangs, or its answer is lost; see `StoreFaults`. */
export const faults: Chapter = (test, expects, { patienceMs }) => {
  const has = (fault: keyof StoreFaults) => expects.faults?.includes(fault) ?? false;
  const within = <T>(what: string, work: Promise<T>) => settledWithin(patienceMs, what, work);

  if (has('killInMidPut')) {
    const { maxObjectBytes = Number.POSITIVE_INFINITY } = expects;
    const count = Math.min(PIECES, Math.floor(maxObjectBytes / PIECE_BYTES));
    test('keeps the old value when the server is killed in the midst of a put', async (store, fixture) => {
      const kill = faultOf(fixture, 'killInMidPut');
      await store.put('shop/note', bytesOf(5));
      for (const key of ['shop/note', 'shop/none']) {
        let killing: Promise<Undo> | undefined;
        async function* pieces() {
          for (let index = 0; index < count; index++) {
            if (index === Math.floor(count / 2)) {
              await sleep(SENDING_MS);
              killing = Promise.resolve(kill());
              await killing;
            }
            yield bytesOf(PIECE_BYTES, index);
          }
        }
        const body = Readable.from(pieces(), { objectMode: false });
        const size = PIECE_BYTES * count;
        const putting = errorOf(store.put(key, body, { size }));
        // The put may have failed before the end of the server was told.
        const error = await within('the put', putting).finally(async () => (await killing)?.());
        assertStoreFault(error);
        assert.ok(body.destroyed, 'the source must be let go');
        assertBytes(await within('a get', bytesAt(store, 'shop/note')), bytesOf(5));
        assert.deepEqual(await keysOf(store), ['shop/note']);
      }
      await store.put('shop/none', bytesOf(6));
      assertBytes(await bytesAt(store, 'shop/none'), bytesOf(6));
    });
  }

  if (has('hang')) {
    test('ends every call by its signal when the server hangs, and works again afterwards', async (store, fixture) => {
      await store.put('shop/note', bytesOf(5));
      const resume = await faultOf(fixture, 'hang')();
      try {
        for (const [name, call] of Object.entries(callsOf(store))) {
          const reason = new Error('no answer in time');
          const ending = new AbortController();
          const timer = setTimeout(() => ending.abort(reason), GIVES_UP_MS);
          const error = await within(name, errorOf(call(ending.signal))).finally(() => clearTimeout(timer));
          // A deadline of the store itself may come first.
          if (error !== reason) assertStoreFault(error);
        }
      } finally {
        await resume();
      }
      const after = { signal: AbortSignal.timeout(patienceMs) };
      await within('a put', store.put('shop/after', bytesOf(6), after));
      assertBytes(await within('a get', bytesAt(store, 'shop/after')), bytesOf(6));
      assertBytes(await bytesAt(store, 'shop/note'), bytesOf(5));
      // Whether a put was done that nobody waited for is not known; but it is never half done.
      for (const key of ['shop/hung', 'shop/stream']) {
        const late = await bytesAt(store, key);
        if (late !== undefined) assertBytes(late, bytesOf(1000));
      }
    });
  }

  if (has('loseAnswer')) {
    const isConditional = expects.conditionalPut !== false;
    for (const condition of isConditional ? ['none', 'ifAbsent', 'ifVersion'] : ['none']) {
      test(`takes its own value for no conflict when an answer is lost: condition ${condition}`, async (store, fixture) => {
        const first = condition === 'ifVersion' ? await store.put('shop/note', bytesOf(5, 1)) : undefined;
        const conditions: PutOptions = {
          ...(condition === 'ifAbsent' && { ifAbsent: true }),
          ...(first !== undefined && { ifVersion: first.version }),
        };
        await faultOf(fixture, 'loseAnswer')();
        const putting = store.put('shop/note', bytesOf(1000, 2), conditions);
        const outcome = await within(
          'the put',
          putting.catch((error: unknown) => ({ error })),
        );
        assertBytes(await bytesAt(store, 'shop/note'), bytesOf(1000, 2));
        if ('error' in outcome) assertStoreFault(outcome.error);
        else assert.equal((await store.head('shop/note'))?.version, outcome.version);
      });
    }
  }
};

/** Every call; what a hanging server may still do with the puts is known by their keys. */
function callsOf(store: SessionStore): Record<string, (signal: AbortSignal) => Promise<unknown>> {
  const { deleteMany, serverTime } = store;
  return {
    put: (signal) => store.put('shop/hung', bytesOf(1000), { signal }),
    'put of a stream': (signal) =>
      store.put('shop/stream', Readable.from([bytesOf(1000)], { objectMode: false }), { size: 1000, signal }),
    get: async (signal) => (await store.get('shop/note', { signal }))?.body.toArray({ signal }),
    head: (signal) => store.head('shop/note', { signal }),
    list: async (signal) => {
      for await (const _ of store.list('shop/', { signal })) assert.fail('listed something');
    },
    delete: (signal) => store.delete('shop/none', { signal }),
    ...(deleteMany && { deleteMany: (signal) => deleteMany.call(store, ['shop/none'], { signal }) }),
    ...(serverTime && { serverTime: (signal) => serverTime.call(store, { signal }) }),
  };
}

/** A fault of the server is worth another try, and never looks like a conflict. */
function assertStoreFault(error: unknown): void {
  assert.ok(isSessionError(error), `failed with ${error}, not with a StoreError`);
  assert.equal(error.code, 'STORE', error.message);
  assert.equal(error.retryable, true, error.message);
}

function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => assert.fail('succeeded, although the server could not answer'),
    (error: unknown) => error,
  );
}

function faultOf<Name extends keyof StoreFaults>(
  { faults: given }: StoreFixture,
  name: Name,
): NonNullable<StoreFaults[Name]> {
  const fault = given?.[name];
  assert.ok(fault !== undefined, `the fixture has no faults.${name}`);
  return fault;
}

/** Fails instead of hanging. */
async function settledWithin<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = () => new assert.AssertionError({ message: `${what} was not over after ${ms} ms` });
    timer = setTimeout(() => reject(error()), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

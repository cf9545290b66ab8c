import { conditions } from './conformance/conditions.js';
import { deletes } from './conformance/deletes.js';
import { digests } from './conformance/digests.js';
import { failures } from './conformance/failures.js';
import { faults } from './conformance/faults.js';
import { fences } from './conformance/fences.js';
import { files } from './conformance/files.js';
import { type ConformanceOptions, type StoreFactory, storeTest } from './conformance/harness.js';
import { keys } from './conformance/keys.js';
import { listing } from './conformance/listing.js';
import { memory } from './conformance/memory.js';
import { ranges } from './conformance/ranges.js';
import { values } from './conformance/values.js';

const CHAPTERS = {
  values,
  listing,
  ranges,
  digests,
  deletes,
  conditions,
  fences,
  failures,
  faults,
  keys,
  files,
  memory,
};
const PATIENCE_MS = 10_000;

/**
 * The contract of `SessionStore` as tests, for any runner with `describe` and `it`: vitest, jest, mocha,
 * node:test. Every test gets its own *empty* store from `factory`. The longest ones put 1,100 small objects and one of
 * 60 MB: give them the time that your server needs, by the timeout of your runner.
 *
 * @example
 * import { describe, it } from 'node:test';
 * import { describeSessionStore } from 'wwebjs-persistent-session/testing';
 *
 * describeSessionStore({ describe, it, name: 'MyStore' }, async () => {
 *   const store = new MyStore(await freshBucket());
 *   return { store, dispose: () => store.dropBucket() };
 * });
 */
export function describeSessionStore(options: ConformanceOptions, factory: StoreFactory): void {
  const { describe, it, name = 'SessionStore', expects = {}, patienceMs = PATIENCE_MS } = options;
  describe(`${name} keeps the contract of SessionStore`, () => {
    const test = storeTest(it, factory);
    for (const [title, chapter] of Object.entries(CHAPTERS)) {
      chapter((what, run) => test(`${title}: ${what}`, run), expects, { patienceMs });
    }
  });
}

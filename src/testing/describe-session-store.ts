import { conditions } from './conformance/conditions.js';
import { failures } from './conformance/failures.js';
import { files } from './conformance/files.js';
import { type ConformanceOptions, type StoreFactory, storeTest } from './conformance/harness.js';
import { keys } from './conformance/keys.js';
import { listing } from './conformance/listing.js';
import { values } from './conformance/values.js';

const CHAPTERS = { values, listing, failures, keys, conditions, files };

/**
 * The contract of `SessionStore` as tests, for any runner with `describe` and `it`: vitest, jest, mocha,
 * node:test. Every test gets its own *empty* store from `factory`.
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
  const { describe, it, name = 'SessionStore', expects = {} } = options;
  describe(`${name} keeps the contract of SessionStore`, () => {
    const test = storeTest(it, factory);
    for (const [title, chapter] of Object.entries(CHAPTERS)) {
      chapter((what, run) => test(`${title}: ${what}`, run), expects);
    }
  });
}

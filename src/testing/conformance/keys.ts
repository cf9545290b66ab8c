import assert from 'node:assert/strict';
import { assertBytes, bytesAt, bytesOf, type Chapter, keysOf, rejectsWith } from './harness.js';

/** Keys that would leave the root, that some system would refuse, or that it would mistake for another key. */
const DANGEROUS = [
  ...['', '/', '/etc/passwd', 'a//b', 'a/', '.', '..', '../a', 'a/../../b', 'a/./b', '..\\a', 'a\\..\\b'],
  ...[
    'C:/a',
    'a:stream',
    'a\0b',
    'a\nb',
    'con',
    'a/NUL.txt',
    'com1',
    'a.',
    'a ',
    'a/b./c',
    'a*',
    'a?',
    '<a>',
    'a|b',
  ],
  ...['.tmp-1-a', 'a/.lock-b', '.unlock-c', 'cafe\u0301', '\ud800', 'x'.repeat(201), `${'x/'.repeat(32)}x`],
  Array.from({ length: 10 }, () => 'x'.repeat(99)).join('/'),
];

/** Unusual, but portable keys. */
const ODD = [
  ...[
    'a b',
    '.hidden',
    '..a',
    'a..b',
    '-rf',
    '%2e%2e',
    '$HOME',
    "it's",
    'a&b;c',
    'console',
    'com10',
    'a,b=c@d#e~f',
  ],
  ...[
    'caf\u00e9/\u0645\u062a\u062c\u0631',
    '\u{1f600}',
    'x'.repeat(200),
    `${'x/'.repeat(31)}y`,
    '__proto__/constructor',
  ],
];

/** Keys are portable and cannot leave the store's root. */
export const keys: Chapter = (test) => {
  test('refuses dangerous keys in every call', async (store) => {
    for (const key of DANGEROUS) {
      const calls = [
        () => store.put(key, bytesOf(1)),
        () => store.get(key),
        () => store.head(key),
        () => store.delete(key),
      ];
      for (const call of calls) {
        const error = await rejectsWith('STORE', call());
        assert.equal(error.retryable, false, JSON.stringify(key));
      }
    }
    assert.deepEqual(await keysOf(store), []);
  });

  test('finds nothing under dangerous prefixes', async (store) => {
    await store.put('a/b', bytesOf(1));
    for (const prefix of ['../', '/', 'a/../', './a', 'a//b', 'a/./', '..', '\0']) {
      const found = await keysOf(store, prefix).catch(() => []);
      assert.deepEqual(found, [], JSON.stringify(prefix));
    }
  });

  test('takes odd keys as they are', async (store) => {
    for (const [index, key] of ODD.entries()) await store.put(key, bytesOf(10, index));
    for (const [index, key] of ODD.entries()) assertBytes(await bytesAt(store, key), bytesOf(10, index));
    assert.deepEqual(await keysOf(store), [...ODD].sort());
    for (const key of ODD) assert.equal(await store.delete(key), true, key);
    assert.deepEqual(await keysOf(store), []);
  });
};

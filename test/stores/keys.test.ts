import { describe, expect, it } from 'vitest';
import { isSessionError } from '../../src/errors.js';
import { assertPortableKey, assertPortablePrefix } from '../../src/stores/keys.js';

const REFUSED: readonly (readonly [key: string, because: RegExp])[] = [
  ['', /empty/],
  ['/a', /begins with "\/"/],
  ['//host/share', /begins with "\/"/],
  ['a/', /empty name/],
  ['a//b', /empty name/],
  ['.', /the name "\."/],
  ['a/..', /the name "\.\."/],
  ['../../etc/passwd', /the name "\.\."/],
  ['a\\b', /character \\/],
  ['C:evil', /character :/],
  ['file.txt:stream', /character :/],
  ['a|b', /character \|/],
  ['what?', /character \?/],
  ['a\0.txt', /control character/],
  ['a\u007f', /control character/],
  ['a\u0085', /control character/],
  ['CON', /device/],
  ['a/nul.tar.gz', /device/],
  ['Lpt9.txt', /device/],
  ['com¹', /device/],
  ['aux .txt', /device/],
  ['conout$', /device/],
  ['a.', /dot or a space/],
  ['a /b', /dot or a space/],
  ['...', /dot or a space/],
  ['cafe\u0301', /normal form/],
  ['\u212b', /normal form/],
  ['a\ud83d', /surrogate/],
  ['é'.repeat(101), /longer than 200 bytes/],
  [Array.from({ length: 10 }, () => 'x'.repeat(90)).join('/'), /longer than 900 bytes/],
  ['a/'.repeat(32).concat('a'), /more than 32 names/],
  ['a/.tmp-123-abc', /belong to the stores/],
  ['.LOCK-a', /belong to the stores/],
  ['.unlock-a/b', /belong to the stores/],
];

const PORTABLE = [
  ...[
    'a',
    'shop/objects/1f/1f3a',
    '.hidden',
    '..a',
    'a..b',
    'a b',
    'console',
    'com10',
    'com',
    'nullable.txt',
    '-',
  ],
  ...['é'.repeat(100), 'a/'.repeat(31).concat('a'), 'متجر/٢', '😀', '__proto__', '%2e%2e', '.tmp', '.lock'],
  Array.from({ length: 9 }, () => 'x'.repeat(99)).join('/'),
];

describe('assertPortableKey', () => {
  it.each(REFUSED)('refuses %j and says why', (key, because) => {
    const error = thrownBy(() => assertPortableKey(key));
    expect(error).toMatchObject({ code: 'STORE', retryable: false });
    expect(String(error)).toMatch(because);
  });

  it.each(PORTABLE)('takes %j', (key) => {
    expect(() => assertPortableKey(key)).not.toThrow();
  });

  it.each([undefined, null, 5, {}, ['a']])('refuses %j of a caller without types', (key) => {
    const error = thrownBy(() => assertPortableKey(key as unknown as string));
    expect(isSessionError(error)).toBe(true);
    expect(String(error)).toMatch(/not a string/);
  });

  it('prints no more than the beginning of a long key', () => {
    expect(String(thrownBy(() => assertPortableKey('x'.repeat(5000)))).length).toBeLessThan(250);
  });
});

describe('assertPortablePrefix', () => {
  it.each(['', 'a', 'a/', 'con', 'a/b.', 'a/.', '.tmp', 'a/b/c'])(
    'takes %j, with which a key may begin',
    (prefix) => {
      expect(() => assertPortablePrefix(prefix)).not.toThrow();
    },
  );

  it.each(['/', '/a', '../', 'a/../b', 'a//', 'con/', 'a./b', '.tmp-x/'])('refuses %j', (prefix) => {
    expect(thrownBy(() => assertPortablePrefix(prefix))).toMatchObject({ code: 'STORE', retryable: false });
  });

  it('refuses what is not a string', () => {
    expect(String(thrownBy(() => assertPortablePrefix(undefined as unknown as string)))).toMatch(
      /not a string/,
    );
  });
});

function thrownBy(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

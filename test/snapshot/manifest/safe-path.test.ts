import { join, posix, win32 } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertSafePath, assertSafePaths, quoteName } from '../../../src/snapshot/manifest/safe-path.js';

const unsafe = expect.objectContaining({ code: 'SNAPSHOT_UNSAFE' }) as Error;

describe('a path out of an archive or a manifest', () => {
  it.each([
    'Default/IndexedDB/https_web.whatsapp.com_0.indexeddb.leveldb/000005.ldb',
    'Default/Local Storage/leveldb/LOG.old',
    'a',
    'ملف/عربي',
    'Console/common.txt',
    '.hidden',
    'a..b/...c',
  ])('is accepted: %s', (path) => {
    expect(() => assertSafePath(path)).not.toThrow();
  });

  it.each([
    [''],
    ['/etc/passwd'],
    ['//server/share'],
    ['../x'],
    ['a/../../x'],
    ['a/..'],
    ['.'],
    ['./a'],
    ['a//b'],
    ['a/'],
    ['C:/x'],
    ['c:x'],
    ['a\\b'],
    ['\\\\server\\share'],
    ['a:stream'],
    ['a\0b'],
    ['a\nb'],
    ['a\u007fb'],
    ['a*'],
    ['nul'],
    ['a/CON'],
    ['com1.txt'],
    ['LPT9.a.b'],
    ['com\u00b9'],
    ['conin$'],
    ['nul .txt'],
    ['a.'],
    ['a./b'],
    ['a '],
    ['\ud800'],
    ['x'.repeat(256)],
    [Array(40).fill('d').join('/')],
    [`${'abcdefgh/'.repeat(20)}${'y'.repeat(250)}/${'z'.repeat(250)}/${'z'.repeat(250)}/${'z'.repeat(250)}`],
  ])('is refused: %j', (path) => {
    expect(() => assertSafePath(path)).toThrow(unsafe);
  });

  it('is named in the message, escaped and never long', () => {
    expect(() => assertSafePath('../\u001b[2J')).toThrow('"../\\u001b[2J"');
    expect(quoteName('x'.repeat(5000)).length).toBeLessThan(250);
  });

  it('never leaves its folder when accepted (property)', () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('..', '.', '/', '\\', 'C:', 'a', '', ' '),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), fc.constantFrom('/', '\\', ''), (parts, separator) => {
        const path = parts.join(separator);
        try {
          assertSafePath(path);
        } catch {
          return;
        }
        expect(posix.join('/base', path).startsWith('/base/')).toBe(true);
        expect(win32.join('C:\\root', path).startsWith('C:\\root\\')).toBe(true);
        expect(join('/base', path)).not.toContain('\0');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a list of paths', () => {
  it('may share folders', () => {
    expect(() => assertSafePaths(['a/b/c', 'a/b/d', 'a/e', 'f'])).not.toThrow();
  });

  it.each([
    ['twice', ['a/b', 'a/b']],
    ['case', ['Default/CURRENT', 'Default/current']],
    ['case of a folder', ['Default/a', 'default/b']],
    ['Unicode form', ['caf\u00e9', 'cafe\u0301']],
    ['a folded ligature', ['\ufb01le', 'file']],
    ['sharp s', ['stra\u00dfe', 'STRASSE']],
    ['a zero-width character', ['a', 'a\u200d']],
    ['a file that is a folder too', ['a/b', 'a']],
    ['a file that is a folder too', ['a', 'a/b']],
    ['an unsafe one', ['fine', '../not']],
  ])('is refused for names that meet: %s', (_what, paths) => {
    expect(() => assertSafePaths(paths)).toThrow(unsafe);
  });
});

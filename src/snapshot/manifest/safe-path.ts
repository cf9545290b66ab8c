import { SnapshotUnsafeError } from '../../errors.js';

const MAX_PATH_BYTES = 1024;
const MAX_NAME_BYTES = 255;
const MAX_DEPTH = 32;

/**
 * Windows refuses these in any name; `:` also means alternate data streams and drives there, and `\` is a
 * separator.
 */
const FORBIDDEN_CHARACTERS = '<>:"|?*\\';
/** Device names of Windows, with any extension: `NUL.txt` means `NUL`. The superscript digits count as digits there. */
const RESERVED_NAME = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3]) *(\.|$)/i;
/** Half of a surrogate pair. It has no UTF-8 form, so two such names may become one on disk. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Throws {@link SnapshotUnsafeError} unless `path` names a file strictly below the folder it is joined to, on
 * every platform: relative, `/` between names, nothing that Windows or macOS would read as another name.
 *
 * @example
 * assertSafePath('Default/Local Storage/leveldb/CURRENT'); // fine
 * assertSafePath('../../.ssh/authorized_keys');            // throws
 */
export function assertSafePath(path: string): void {
  const problem = pathProblem(path);
  if (problem !== undefined) throw new SnapshotUnsafeError(`unsafe entry ${quoteName(path)}: ${problem}`);
}

/**
 * Checks a whole list: every path is safe, and none appears twice, differs from another path or its folder only by
 * case or Unicode form, or is a file here and a folder there.
 */
export function assertSafePaths(paths: readonly string[]): void {
  const files = new Set<string>();
  const folders = new Map<string, string>();
  for (const path of paths) {
    assertSafePath(path);
    const key = foldName(path);
    if (files.has(key)) {
      throw new SnapshotUnsafeError(
        `duplicate entry ${quoteName(path)}: another one has this name, or differs only by case or Unicode form`,
      );
    }
    files.add(key);
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end);
      const folded = foldName(folder);
      const known = folders.get(folded);
      if (known === folder) break;
      if (known !== undefined) {
        throw new SnapshotUnsafeError(
          `unsafe entry ${quoteName(path)}: its folder differs from ${quoteName(known)} only by case or Unicode form`,
        );
      }
      folders.set(folded, folder);
    }
  }
  for (const path of paths) {
    if (folders.has(foldName(path))) {
      throw new SnapshotUnsafeError(`unsafe entry ${quoteName(path)}: it is a file and a folder at once`);
    }
  }
}

/**
 * Throws {@link SnapshotUnsafeError} for a name that leads out of its folder. It is for names under which nothing
 * is ever written, so they may contain characters that some platform does not support.
 */
export function assertStaysInside(path: string): void {
  const problem = escapeProblem(path);
  if (problem !== undefined) throw new SnapshotUnsafeError(`unsafe entry ${quoteName(path)}: ${problem}`);
}

/** A name as messages show it: quoted, escaped and shortened. */
export function quoteName(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}...` : name);
}

function pathProblem(path: string): string | undefined {
  if (path === '') return 'it has no name';
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `it is longer than ${MAX_PATH_BYTES} bytes`;
  if (LONE_SURROGATE.test(path)) return 'it is not valid Unicode';
  const problem = escapeProblem(path);
  if (problem !== undefined) return problem;
  for (const character of path) {
    if (FORBIDDEN_CHARACTERS.includes(character)) return `it has the character ${character}`;
  }
  const names = path.split('/');
  if (names.length > MAX_DEPTH) return `it is more than ${MAX_DEPTH} folders deep`;
  return names.map(nameProblem).find((problem) => problem !== undefined);
}

function escapeProblem(path: string): string | undefined {
  if (path.startsWith('/')) return 'it is absolute';
  if (/^[a-z]:/i.test(path)) return 'it names a drive';
  if (path.split('/').includes('..')) return 'it has .. as a name';
  for (const character of path) {
    if (character < ' ' || character === '\u007f') return 'it has a control character';
    if (character === '\\') return 'it has the character \\';
  }
  return undefined;
}

function nameProblem(name: string): string | undefined {
  if (name === '') return 'it has an empty name between slashes';
  if (name === '.' || name === '..') return `it has ${name} as a name`;
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `it has a name longer than ${MAX_NAME_BYTES} bytes`;
  // Windows drops both at the end of a name, so `a.` and `a` are the same file there.
  if (name.endsWith('.') || name.endsWith(' ')) return 'it has a name that ends with a dot or a space';
  if (RESERVED_NAME.test(name)) return 'it has a name that Windows reserves for a device';
  return undefined;
}

/**
 * Returns equal texts for all names that a common file system treats as equal (HFS+ even ignores zero-width
 * characters).
 */
function foldName(name: string): string {
  const visible = name.replace(/\p{Default_Ignorable_Code_Point}/gu, '');
  return visible.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');
}

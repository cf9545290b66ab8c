import { execFileSync } from 'node:child_process';
import fs, { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FileSystem } from '../src/file-system.js';
import {
  MAX_OWN_FILE_BYTES,
  noteNow,
  openOwnFile,
  readOwnFile,
  readOwnJson,
  tryToWrite,
  writeOwnFile,
} from '../src/own-file.js';
import { failingFileSystem } from '../src/testing/failing-file-system.js';

const PRECIOUS = 'a file of somebody else';

let root = '';
let file = '';
let victim = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'own-file-'));
  file = join(root, 'record.json');
  victim = join(root, 'victim');
  fs.writeFileSync(victim, PRECIOUS);
});

afterEach(() => {
  expect(fs.readFileSync(victim, 'utf8')).toBe(PRECIOUS);
  rmSync(root, { recursive: true, force: true });
});

const names = () => fs.readdirSync(root).sort();

/** What can lie where a file of ours is expected. */
const PLANTED: readonly (readonly [string, (path: string) => void])[] = [
  ['a symbolic link', (path) => fs.symlinkSync(victim, path)],
  ['a link that leads nowhere', (path) => fs.symlinkSync(join(root, 'nowhere'), path)],
  ['a named pipe', (path) => execFileSync('mkfifo', [path])],
];

/** The same file system, on which a look at `file` still finds a plain file: what lies there came a moment later. */
function fooled(): FileSystem {
  const lstat = () => fs.promises.lstat(victim);
  return { ...fs, promises: { ...fs.promises, lstat: lstat as unknown as typeof fs.promises.lstat } };
}

describe('a small file of ours', () => {
  it('is read as text and as JSON', async () => {
    fs.writeFileSync(file, '{"a":"ü"}');
    expect(await readOwnFile(fs, file)).toBe('{"a":"ü"}');
    expect(await readOwnJson(fs, file)).toEqual({ a: 'ü' });
  });

  it.each([...PLANTED, ['a folder', (path: string) => fs.mkdirSync(path)] as const])(
    'counts as missing where %s lies in its place',
    async (_name, plant) => {
      plant(file);
      expect(await readOwnFile(fs, file)).toBeUndefined();
      expect(await readOwnJson(fs, file)).toBeUndefined();
      expect(await openOwnFile(fs, file, 'update')).toBeUndefined();
    },
  );

  it.each([PLANTED[0], PLANTED[2]] as typeof PLANTED)(
    'counts as missing where %s comes between the look and the opening',
    async (_name, plant) => {
      plant(file);
      expect(await readOwnFile(fooled(), file)).toBeUndefined();
      expect(await openOwnFile(fooled(), file, 'update')).toBeUndefined();
    },
  );

  it('is missing where nothing is, no JSON where it is damaged', async () => {
    expect(await readOwnFile(fs, file)).toBeUndefined();
    expect(await readOwnFile(fs, join(victim, 'record.json'))).toBeUndefined();
    fs.writeFileSync(file, '{');
    expect(await readOwnJson(fs, file)).toBeUndefined();
  });

  it('counts as missing where it is larger than one can be', async () => {
    fs.writeFileSync(file, '');
    fs.truncateSync(file, MAX_OWN_FILE_BYTES);
    expect(await readOwnFile(fs, file)).toHaveLength(MAX_OWN_FILE_BYTES);
    fs.truncateSync(file, MAX_OWN_FILE_BYTES + 1);
    expect(await readOwnFile(fs, file)).toBeUndefined();
  });

  it('is an error where the disk fails', async () => {
    fs.writeFileSync(file, '{}');
    for (const operation of ['lstat', 'open', 'handle.stat', 'handle.read']) {
      const failing = failingFileSystem(fs, { operation, failOn: 1, errno: 'EIO' });
      await expect(readOwnFile(failing, file), operation).rejects.toMatchObject({ code: 'EIO' });
    }
  });

  it('is opened by waiting where another machine has to let go of it first', async () => {
    fs.writeFileSync(file, 'kept');
    const failing = failingFileSystem(fs, { operation: 'open', failOn: 1, errno: 'EAGAIN' });
    expect(await readOwnFile(failing, file)).toBe('kept');
  });
});

describe('writing a small file of ours', () => {
  it.each([
    ['its place', ''],
    ['the place of its temporary file', '.tmp'],
  ])('puts it in %s, whatever lies there', async (_place, ending) => {
    for (const [name, plant] of PLANTED) {
      plant(file + ending);
      await writeOwnFile(fs, file, name);
      expect(fs.lstatSync(file).isFile(), name).toBe(true);
      expect(fs.readFileSync(file, 'utf8')).toBe(name);
      expect(fs.statSync(file).mode & 0o777).toBe(0o600);
      expect(names()).toEqual(['record.json', 'victim']);
      rmSync(file);
    }
  });

  it('never writes into a file that somebody else has under a second name', async () => {
    fs.linkSync(victim, file);
    fs.linkSync(victim, `${file}.tmp`);
    await writeOwnFile(fs, file, 'ours');
    expect(fs.readFileSync(file, 'utf8')).toBe('ours');
  });

  it.each(['handle.writeFile', 'handle.sync', 'rename'])(
    'leaves the old one, and no rest, where %s fails',
    async (operation) => {
      await writeOwnFile(fs, file, 'old');
      const failing = failingFileSystem(fs, { operation, failOn: 1, errno: 'EIO' });
      await expect(writeOwnFile(failing, file, 'new')).rejects.toMatchObject({ code: 'EIO' });
      expect(fs.readFileSync(file, 'utf8')).toBe('old');
      expect(names()).toEqual(['record.json', 'victim']);
    },
  );

  it('is flushed before it gets its name, unless that is not asked for', async () => {
    const watching = failingFileSystem(fs);
    await writeOwnFile(watching, file, 'durable');
    const operations = watching.calls.map(({ operation }) => operation);
    expect(operations.indexOf('handle.sync')).toBeGreaterThan(operations.indexOf('handle.writeFile'));
    expect(operations.indexOf('handle.sync')).toBeLessThan(operations.indexOf('rename'));
    const passing = failingFileSystem(fs);
    await writeOwnFile(passing, file, 'passing', { durable: false });
    expect(passing.calls.map(({ operation }) => operation)).not.toContain('handle.sync');
  });

  it.each([
    [2, 'is begun anew', undefined],
    [3, 'fails', 'EEXIST'],
  ])('where somebody else is at it %i times %s', async (times, _what, code) => {
    const failing = failingFileSystem(fs, {
      operation: 'open',
      path: '.tmp',
      failOn: 1,
      times,
      errno: 'EEXIST',
    });
    const outcome = await writeOwnFile(failing, file, 'ours').catch((error: unknown) => error);
    expect((outcome as { code?: string } | undefined)?.code).toBe(code);
  });
});

describe('a note that is made at once', () => {
  it('is an empty file, for its owner only', () => {
    noteNow(fs, file);
    expect(fs.readFileSync(file, 'utf8')).toBe('');
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    noteNow(fs, file);
  });

  it.each(PLANTED)('is there where %s has its name', (_name, plant) => {
    plant(file);
    noteNow(fs, file);
    expect(names()).toEqual(['record.json', 'victim']);
  });

  it('throws where it can’t be made', () => {
    expect(() => noteNow(fs, join(victim, 'note'))).toThrow('ENOTDIR');
  });
});

describe('trying to write into a folder', () => {
  it.each(PLANTED)('removes %s that has the name of its probe', async (_name, plant) => {
    plant(join(root, '.write-probe'));
    await tryToWrite(fs, root, 'something');
    expect(names()).toEqual(['victim']);
  });

  it('is content where another session tries at the same moment', async () => {
    await tryToWrite(failingFileSystem(fs, { operation: 'writeFile', failOn: 1, errno: 'EEXIST' }), root);
    await Promise.all(Array.from({ length: 8 }, () => tryToWrite(fs, root)));
    expect(names()).toEqual(['victim']);
  });

  it('fails where nothing can be written', async () => {
    const full = failingFileSystem(fs, { operation: 'writeFile', failOn: 1, errno: 'EROFS' });
    await expect(tryToWrite(full, root)).rejects.toMatchObject({ code: 'EROFS' });
  });
});

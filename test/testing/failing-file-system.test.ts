import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { finished, pipeline } from 'node:stream/promises';
import { createFsFromVolume, Volume } from 'memfs';
import { describe, expect, it } from 'vitest';
import { type FileSystem, systemFileSystem } from '../../src/file-system.js';
import { failingFileSystem } from '../../src/testing/index.js';
import { temporaryRoot } from '../stores/fixtures/temporary-root.js';

const KINDS: readonly [string, () => Promise<{ disk: FileSystem; folder: string }>][] = [
  ['node:fs', async () => ({ disk: systemFileSystem, folder: (await temporaryRoot()).folder })],
  [
    'memfs',
    async () => ({
      disk: createFsFromVolume(Volume.fromJSON({}, '/f')) as unknown as FileSystem,
      folder: '/f',
    }),
  ],
];

describe.each(KINDS)('failingFileSystem over %s', (_, prepare) => {
  const start = async () => {
    const { disk, folder } = await prepare();
    await disk.promises.mkdir(folder, { recursive: true });
    return { disk, folder, file: `${folder}/file` };
  };

  it('only counts without a plan', async () => {
    const { disk, file } = await start();
    const fs = failingFileSystem(disk);
    await fs.promises.writeFile(file, 'x');
    expect(await fs.promises.readFile(file, 'utf8')).toBe('x');
    expect(fs.calls).toEqual([
      { operation: 'writeFile', paths: [file], failed: false },
      { operation: 'readFile', paths: [file], failed: false },
    ]);
    expect(fs.matchingCalls).toBe(2);
  });

  it('fails the n-th call that matches, before it has any effect', async () => {
    const { disk, file } = await start();
    const fs = failingFileSystem(disk, { operation: 'writeFile', path: 'file', failOn: 2, errno: 'ENOSPC' });
    await fs.promises.writeFile(file, '1');
    await fs.promises.writeFile(`${file.slice(0, -4)}other`, 'other');
    await expect(fs.promises.writeFile(file, '2')).rejects.toMatchObject({ code: 'ENOSPC', path: file });
    expect(await fs.promises.readFile(file, 'utf8')).toBe('1');
    await fs.promises.writeFile(file, '3');
    expect(fs.calls.filter(({ failed }) => failed)).toHaveLength(1);
    expect(fs.matchingCalls).toBe(3);
  });

  it('fails several calls in a row, or everything from a moment on', async () => {
    const { disk, file } = await start();
    const fs = failingFileSystem(disk, { failOn: 2, times: 2 });
    await fs.promises.writeFile(file, 'x');
    await expect(fs.promises.stat(file)).rejects.toMatchObject({ code: 'EIO' });
    await expect(fs.promises.unlink(file)).rejects.toMatchObject({ code: 'EIO' });
    await fs.promises.stat(file);
    fs.arm({ failOn: 1, times: Number.POSITIVE_INFINITY });
    expect(fs.calls).toEqual([]);
    for (let round = 0; round < 5; round++) await expect(fs.promises.stat(file)).rejects.toThrow('injected');
  });

  it('matches patterns, and either path of two', async () => {
    const { disk, file } = await start();
    const fs = failingFileSystem(disk, {
      operation: /^(rename|link)$/g,
      path: /target$/g,
      failOn: 1,
      times: 2,
    });
    await fs.promises.writeFile(file, 'x');
    await fs.promises.rename(file, `${file}2`);
    await expect(fs.promises.rename(`${file}2`, `${file}target`)).rejects.toMatchObject({ code: 'EIO' });
    await expect(fs.promises.link(`${file}2`, `${file}target`)).rejects.toMatchObject({ code: 'EIO' });
    await fs.promises.rename(`${file}2`, `${file}target`);
  });

  it('reaches what is done through an open file', async () => {
    const { disk, file } = await start();
    const fs = failingFileSystem(disk, { operation: 'handle.sync', path: file, failOn: 1 });
    const handle = await fs.promises.open(file, 'w');
    await handle.write(Buffer.from('abc'), 0, 3, 0);
    await expect(handle.sync()).rejects.toMatchObject({ code: 'EIO' });
    await handle.sync();
    expect((await handle.stat()).size).toBe(3);
    expect(handle.fd).toBeTypeOf('number');
    await handle.close();
    expect(fs.calls.map(({ operation }) => operation)).toEqual([
      'open',
      'handle.write',
      'handle.sync',
      'handle.sync',
      'handle.stat',
      'handle.close',
    ]);
    fs.arm({ operation: 'open', failOn: 1, errno: 'EMFILE' });
    await expect(fs.promises.open(file, 'r')).rejects.toMatchObject({ code: 'EMFILE' });
  });

  it('breaks reading streams when they are opened, or at a later piece', async () => {
    const { disk, file } = await start();
    await disk.promises.writeFile(file, Buffer.alloc(200_000, 'x'));
    const fs = failingFileSystem(disk);
    expect(await text(fs.createReadStream(file))).toHaveLength(200_000);
    fs.arm({ operation: 'createReadStream', failOn: 1 });
    await expect(text(fs.createReadStream(file))).rejects.toMatchObject({ code: 'EIO' });
    fs.arm({ operation: 'readStream.read', failOn: 3 });
    let seen = 0;
    const stream = fs.createReadStream(file);
    stream.on('data', (chunk) => {
      seen += chunk.length;
    });
    const [error] = await once(stream, 'error').catch((reason) => [reason]);
    expect(error).toMatchObject({ code: 'EIO' });
    expect(seen).toBeGreaterThan(0);
    expect(seen).toBeLessThan(200_000);
  });

  it('breaks writing streams when they are opened, at a later piece, or at the end', async () => {
    const { disk, file } = await start();
    const fs = failingFileSystem(disk);
    const pieces = () => ['one', 'two', 'three'];
    await pipeline(pieces(), fs.createWriteStream(file));
    expect(await disk.promises.readFile(file, 'utf8')).toBe('onetwothree');
    fs.arm({ operation: 'createWriteStream', failOn: 1 });
    await expect(finished(fs.createWriteStream(file))).rejects.toMatchObject({ code: 'EIO' });
    fs.arm({ operation: 'writeStream.write', failOn: 2, errno: 'ENOSPC' });
    await expect(pipeline(pieces(), fs.createWriteStream(file))).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await disk.promises.readFile(file, 'utf8')).not.toContain('two');
    fs.arm({ operation: 'writeStream.final', failOn: 1 });
    await expect(pipeline(pieces(), fs.createWriteStream(file))).rejects.toMatchObject({ code: 'EIO' });
  });
});

import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../../src/file-system.js';
import { mapLimited } from '../../../src/snapshot/concurrency.js';
import { syncFolders, writeChecked } from '../../../src/snapshot/hashing/checked-file.js';
import { sha256 } from '../support/local-store.js';
import { World } from '../support/world.js';

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

const file = { path: 'Default/a', size: 4, sha256: sha256('abcd') };

describe('writing a file of a snapshot', () => {
  it('never overwrites what is there', async () => {
    const { fs } = new World();
    await fs.promises.mkdir('/out/Default', { recursive: true });
    await fs.promises.writeFile('/out/Default/a', 'mine');
    await expect(writeChecked(fs, '/out', file, chunks('abcd'))).rejects.toMatchObject({ code: 'EEXIST' });
  });

  it('stops at the first byte too many', async () => {
    const { fs } = new World();
    let asked = 0;
    const endless = (async function* () {
      for (;;) {
        asked += 1;
        yield Buffer.from('abc');
      }
    })();
    await expect(writeChecked(fs, '/out', file, endless)).rejects.toThrow(/larger/);
    expect(asked).toBe(2);
    expect((await fs.promises.stat('/out/Default/a')).size).toBeLessThanOrEqual(4);
  });

  it('refuses a path that leaves the folder, whoever calls', async () => {
    const { fs } = new World();
    const outside = { ...file, path: '../a' };
    await expect(writeChecked(fs, '/out', outside, chunks('abcd'))).rejects.toMatchObject({
      code: 'SNAPSHOT_UNSAFE',
    });
  });

  it('stops when it is aborted', async () => {
    const { fs } = new World();
    const abort = AbortSignal.abort(new Error('stopping'));
    await expect(writeChecked(fs, '/out', file, chunks('abcd'), abort)).rejects.toThrow('stopping');
  });
});

describe('putting folders on the disk', () => {
  function failing(code: string): FileSystem {
    const { fs } = new World();
    const open = async () => {
      throw Object.assign(new Error(code), { code });
    };
    return { ...fs, promises: { ...fs.promises, open } };
  }

  it('covers every folder on the way, once', async () => {
    const { fs } = new World();
    await fs.promises.mkdir('/out/a/b', { recursive: true });
    const opened: unknown[] = [];
    const open: FileSystem['promises']['open'] = (path, ...rest) => {
      opened.push(path);
      return fs.promises.open(path, ...rest);
    };
    const promises = new Proxy(fs.promises, {
      get: (target, name) => (name === 'open' ? open : Reflect.get(target, name)),
    });
    await syncFolders({ ...fs, promises }, '/out', ['a/b/c', 'a/b/d', 'e']);
    expect(opened.sort()).toEqual(['/out', '/out/a', '/out/a/b']);
  });

  it('accepts a system that opens or syncs no folders, and no other failure', async () => {
    await syncFolders(failing('EISDIR'), '/out', []);
    await syncFolders(failing('EPERM'), '/out', []);
    await expect(syncFolders(failing('EIO'), '/out', [])).rejects.toMatchObject({ code: 'EIO' });
  });
});

describe('work in several lanes', () => {
  it('keeps the order, and never runs more at once than allowed', async () => {
    let running = 0;
    let most = 0;
    const results = await mapLimited([5, 1, 4, 2, 3], 2, async (turns) => {
      running += 1;
      most = Math.max(most, running);
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      running -= 1;
      return turns * 10;
    });
    expect(results).toEqual([50, 10, 40, 20, 30]);
    expect(most).toBe(2);
  });

  it('starts nothing after a failure, and ends only when nothing runs any more', async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const work = mapLimited([0, 1, 2, 3], 2, async (item) => {
      begun.push(item);
      if (item === 0) throw new Error('first');
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
      ended.push(item);
    });
    await expect(work).rejects.toThrow('first');
    expect(begun).toEqual([0, 1]);
    expect(ended).toEqual([1]);
  });
});

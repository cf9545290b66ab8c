import { dirname, join } from 'node:path';
import { createFsFromVolume, Volume } from 'memfs';
import type { Clock } from '../../../src/clock.js';
import type { FileSystem } from '../../../src/file-system.js';
import { inlineTaskRunner } from '../../../src/task.js';
import type { CapturedTree, SnapshotContext } from '../../../src/types.js';

export type Files = Readonly<Record<string, string | Uint8Array>>;

export const LEVELDB = 'Default/IndexedDB/https_web.whatsapp.com_0.indexeddb.leveldb';

/** The login half of a small profile. */
export const PROFILE: Files = {
  [`${LEVELDB}/CURRENT`]: 'MANIFEST-000001\n',
  [`${LEVELDB}/MANIFEST-000001`]: 'manifest '.repeat(40),
  [`${LEVELDB}/000005.ldb`]: Buffer.alloc(70_000, 'table'),
  [`${LEVELDB}/000006.log`]: '',
  'Default/Local Storage/leveldb/CURRENT': 'MANIFEST-000001\n',
  'Default/Local Storage/leveldb/000003.log': 'WANoiseInfo'.repeat(100),
};

/** A file system in memory, a clock that stands, and captures taken from plain objects. */
export class World {
  readonly fs: FileSystem = createFsFromVolume(new Volume()) as unknown as FileSystem;
  readonly runner = inlineTaskRunner(this.fs);
  now = Date.parse('2026-11-23T05:14:09.123Z');
  readonly clock: Clock = {
    now: () => this.now,
    monotonic: () => this.now,
    setTimeout: () => undefined,
    clearTimeout: () => undefined,
  };
  #captures = 0;
  readonly #mtimes = new Map<string, { readonly content: string; readonly mtimeNs: string }>();

  /** A captured tree of these files. Unchanged content keeps its signature, as an untouched live file does. */
  async capture(files: Files): Promise<CapturedTree> {
    const directory = `/captures/${++this.#captures}`;
    const captured = [];
    for (const [path, content] of Object.entries(files)) {
      const target = join(directory, path);
      await this.fs.promises.mkdir(dirname(target), { recursive: true });
      await this.fs.promises.writeFile(target, content);
      const size = Buffer.byteLength(content);
      captured.push({ path, size, source: { size, mtimeNs: this.#mtimeOf(path, content), inode: '1' } });
    }
    return { directory, files: captured };
  }

  context(overrides: Partial<SnapshotContext> = {}): SnapshotContext {
    return {
      clientId: 'shop',
      lineage: 'lineage-1',
      run: 3,
      createdAt: new Date(this.now).toISOString(),
      capture: 'hot',
      settled: true,
      state: 'ready',
      ...overrides,
    };
  }

  /** Everything below a folder, as text by path; `undefined` when there is no such folder. */
  async read(directory: string): Promise<Record<string, string> | undefined> {
    const found: Record<string, string> = {};
    const walk = async (folder: string, prefix: string): Promise<void> => {
      for (const name of (await this.fs.promises.readdir(folder)) as string[]) {
        const path = join(folder, name);
        const stat = await this.fs.promises.lstat(path);
        if (stat.isDirectory()) await walk(path, `${prefix}${name}/`);
        else found[`${prefix}${name}`] = (await this.fs.promises.readFile(path)).toString('latin1');
      }
    };
    const there = await this.fs.promises.stat(directory).catch(() => undefined);
    if (there === undefined) return undefined;
    await walk(directory, '');
    return found;
  }

  #mtimeOf(path: string, content: string | Uint8Array): string {
    const text = Buffer.from(content).toString('latin1');
    const known = this.#mtimes.get(path);
    if (known?.content === text) return known.mtimeNs;
    const mtimeNs = String(this.#captures * 1_000_000 + this.#mtimes.size);
    this.#mtimes.set(path, { content: text, mtimeNs });
    return mtimeNs;
  }
}

/** What `World.read` gives for these files. */
export function asText(files: Files): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).map(([path, content]) => [path, Buffer.from(content).toString('latin1')]),
  );
}
